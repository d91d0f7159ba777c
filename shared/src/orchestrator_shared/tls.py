"""URLs of servers with certificates of an authority of one's own, and what is wrong with a certificate."""

import ssl
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

VERIFYING = ("verify-full", "verify-ca")


def check_ca_file(file: Path | None) -> Path | None:
    """Raises ValueError unless the file contains certificates; the text names neither path nor content."""
    if file is None:
        return None
    try:
        ssl.create_default_context(cafile=str(file))
    except ssl.SSLError:
        raise ValueError("this file contains no certificate in PEM form") from None
    except OSError as error:
        raise ValueError(f"cannot read this file: {error.strerror}") from None
    return file


def database_url(url: str, ca_file: Path | None) -> str:
    """The URL with what asyncpg needs; raises ValueError where it says otherwise."""
    if ca_file is None:
        return url
    query = dict(parse_qsl(urlsplit(url).query))
    if (mode := query.get("sslmode")) not in (None, *VERIFYING):
        raise ValueError(
            "ORCHESTRATOR_DATABASE_CA_FILE demands a verified certificate, but ORCHESTRATOR_DATABASE_URL "
            f"says sslmode={mode}: remove it, or write verify-full"
        )
    return _with(url, {"sslmode": "verify-full", **query, "sslrootcert": str(ca_file)})


def broker_url(url: str, ca_file: Path | None) -> str:
    """The URL with what aiormq needs; raises ValueError where it does not use TLS or does not verify."""
    if ca_file is None:
        return url
    query = dict(parse_qsl(urlsplit(url).query))
    if urlsplit(url).scheme != "amqps":
        raise ValueError(
            "ORCHESTRATOR_AMQP_CA_FILE needs TLS: begin ORCHESTRATOR_AMQP_URL with amqps:// (port 5671)"
        )
    if query.get("no_verify_ssl", "0") != "0":
        raise ValueError(
            "ORCHESTRATOR_AMQP_CA_FILE demands a verified certificate: remove no_verify_ssl from "
            "ORCHESTRATOR_AMQP_URL"
        )
    return _with(url, {**query, "cafile": str(ca_file)})


def _with(url: str, query: dict[str, str]) -> str:
    base = url.partition("?")[0]  # hosts of several servers must stay as they are
    return f"{base}?{urlencode(query)}"


def certificate_problem(error: BaseException) -> str | None:
    """What is wrong with the server's certificate, if that is why a connection failed."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {found.verify_message}"
        found = found.__cause__ or found.__context__
    return None
