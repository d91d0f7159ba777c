"""Connections to the servers are encrypted, and the servers show certificates that their clients accept."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from tests.support.manifests.documents import Document, Manifests, label_of

OWN_PORT = {"postgres-rw": ("postgres", "--ssl=on"), "rabbitmq": ("rabbitmq", "listeners.tcp = none")}
AMQP, DATABASE = "ORCHESTRATOR_AMQP", "ORCHESTRATOR_DATABASE"


def check_encryption(manifests: Manifests) -> Iterator[str]:
    for workload in manifests.of_kind("Deployment", "Job"):
        environment = manifests.environment(workload)
        for setting in (AMQP, DATABASE):
            if f"{setting}_URL" in environment:
                problems = _of_client(manifests, setting, environment)
                yield from (f"{label_of(workload)}: {problem}" for problem in problems)
        if (source := environment.get("DATA_SOURCE_URI")) is not None:
            told = parse_qs(urlsplit(f"//{source}").query)
            authority = told.get("sslrootcert", [""])[0]
            if told.get("sslmode") != ["verify-full"] or authority not in manifests.files(workload):
                yield f"{label_of(workload)}: any certificate will do"
    yield from _of_servers(manifests)


def _of_client(manifests: Manifests, setting: str, environment: dict[str, str]) -> Iterator[str]:
    url = urlsplit(environment[f"{setting}_URL"])
    if setting == AMQP and url.scheme != "amqps":
        yield "talks to the broker without encryption"
    authority = environment.get(f"{setting}_CA_FILE")
    if authority is None:
        yield f"{setting}_CA_FILE is not set: any certificate will do"
    elif (shown := _certificate(manifests, url.hostname or "")) is not None:
        yield from _accepted(shown, authority, url.hostname or "")


def _certificate(manifests: Manifests, host: str) -> str | None:
    """What the server at this address shows; None if its operator makes one."""
    if host.startswith("postgres-rw.") and manifests.of_kind("Cluster"):
        return None
    for cluster in manifests.of_kind("RabbitmqCluster"):
        if host.startswith("rabbitmq."):
            return _secret(manifests, cluster["spec"].get("tls", {}).get("secretName", ""))
    server = OWN_PORT[host.partition(".")[0]][0]
    files = manifests.files(manifests.find("StatefulSet", server))
    return next((text for path, text in files.items() if path.endswith("/tls.crt")), "")


def _secret(manifests: Manifests, name: str) -> str:
    found = [each for each in manifests.secrets if each["metadata"]["name"] == name]
    return "".join(each["stringData"].get("tls.crt", "") for each in found)


def _accepted(shown: str, authority: str, host: str) -> Iterator[str]:
    if not shown:
        yield f"{host} has no certificate"
        return
    certificate = x509.load_pem_x509_certificate(shown.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if host not in names.get_values_for_type(x509.DNSName):
        yield f"the certificate of {host} is for another host"
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
    except (ValueError, InvalidSignature):
        yield f"the certificate of {host} is signed by another authority"


def _of_servers(manifests: Manifests) -> Iterator[str]:
    """The servers that no operator makes: they listen encrypted, with the files that they have."""
    for server, needed in OWN_PORT.values():
        if not manifests.has("StatefulSet", server, "orchestrator"):
            continue
        workload = manifests.find("StatefulSet", server)
        told = _told(manifests, workload)
        if needed not in told:
            yield f"{label_of(workload)}: accepts connections without encryption"
        files = manifests.files(workload)
        for line in told:
            name, _, path = line.partition("=")
            if ("cert" in name or "key" in name) and path.strip() not in files:
                yield f"{label_of(workload)}: there is no {path.strip()}"


def _told(manifests: Manifests, workload: Document) -> list[str]:
    """Arguments, and lines of the settings file."""
    spec = workload["spec"]["template"]["spec"]
    maps = {each["configMap"]["name"] for each in spec["volumes"] if "configMap" in each}
    data = [each["data"] for each in manifests.of_kind("ConfigMap") if each["metadata"]["name"] in maps]
    lines = [line for each in data for text in each.values() for line in text.splitlines()]
    return [*spec["containers"][0].get("args", []), *lines]
