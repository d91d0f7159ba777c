"""Settings from environment variables `ORCHESTRATOR_*`, checked at start with one clear message."""

import base64
import binascii
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as _SourceError

from orchestrator_shared import tls
from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.domain.urls import require_unambiguous
from orchestrator_shared.secret_files import SecretFileError, secret_of
from orchestrator_shared.validation import describe

PREFIX = "ORCHESTRATOR_"
KEY_BYTES = 32

S = TypeVar("S", bound=BaseSettings)


class SettingsError(OrchestratorError):
    """Environment variables are missing or wrong; the text names each and what is expected, never a value."""


def parse_keys(text: object) -> tuple[bytes, ...]:
    """Read comma-separated base64 keys of 32 bytes; the first one encrypts, all decrypt."""
    if not isinstance(text, str):
        return text  # type: ignore[return-value]  # already parsed (tests hand over bytes): pydantic checks it
    return tuple(_parse_key(part.strip()) for part in text.split(",") if part.strip())


def _parse_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, altchars=b"-_" if set(text) & set("-_") else None, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"expected comma-separated base64 keys of {KEY_BYTES} bytes each")
    return key


EncryptionKeys = Annotated[
    tuple[Annotated[bytes, Field(min_length=KEY_BYTES, max_length=KEY_BYTES)], ...],
    NoDecode,
    BeforeValidator(parse_keys),
]
"""Where required: `encryption_keys: EncryptionKeys = Field(min_length=1, repr=False)`."""


def parse_networks(text: object) -> object:
    """Read comma-separated addresses and networks."""
    if not isinstance(text, str):
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(parse_networks)]


class _SecretFiles(PydanticBaseSettingsSource):
    """The source of all settings that are declared with `repr=False`: these are the secret ones."""

    def __call__(self) -> dict[str, Any]:
        """Raises SecretFileError that names every file that cannot be used."""
        values, problems = {}, []
        for name in self._secret_fields():
            try:
                value = secret_of(variable(name))
            except SecretFileError as error:
                problems.append(str(error))
                continue
            if value is not None:
                values[name] = value
        if problems:
            raise SecretFileError("\n".join(f"  {problem}" for problem in problems))
        return values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: all fields are read at once."""
        raise NotImplementedError

    def _secret_fields(self) -> Iterator[str]:
        return (name for name, field in self.settings_cls.model_fields.items() if not field.repr)


class _Base(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    startup_timeout_seconds: float = Field(default=60, ge=0, le=3600)
    """How long a service waits at its start for a server that does not answer."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller gives, then secrets from their files, then the environment."""
        return init_settings, _SecretFiles(settings_cls), env_settings


def _check_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in schemes and all((port or 1) > 0 for _, port in _hosts(url))
    except ValueError:
        fine = False
    if "://" in url:
        require_unambiguous(url, example=example)
    if not fine:
        raise ValueError(f"expected a URL such as {example}")
    return url


class DatabaseSettings(_Base):
    """PostgreSQL's address, and limits on every use of it."""

    database_url: str = Field(repr=False)
    database_ca_file: Path | None = None
    """Certificates to trust; with it, `database_url` demands TLS and a certificate for the host in it."""
    database_roles: Literal["separate", "single"] = "separate"
    database_role_prefix: str = Field(default="orchestrator_", pattern=r"^[a-z_][a-z0-9_]{0,39}$")
    database_pool_min: int = Field(default=1, ge=0, le=100)
    database_pool_max: int = Field(default=10, ge=1, le=200)
    database_connect_timeout_seconds: float = Field(default=5, gt=0, le=120)
    database_acquire_timeout_seconds: float = Field(default=5, gt=0, le=120)
    database_command_timeout_seconds: float = Field(default=35, gt=0, le=3600)
    database_statement_timeout_seconds: float = Field(default=30, gt=0, le=3600)
    database_lock_timeout_seconds: float = Field(default=10, gt=0, le=3600)
    database_idle_transaction_timeout_seconds: float = Field(default=30, gt=0, le=3600)

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: str) -> str:
        return _check_url(url, ("postgresql", "postgres"), "postgresql://user:password@host:5432/database")

    @field_validator("database_ca_file")
    @classmethod
    def _trusts_database(cls, file: Path | None) -> Path | None:
        return tls.check_ca_file(file)

    @model_validator(mode="after")
    def _demand_database_tls(self) -> Self:
        self.database_url = tls.database_url(self.database_url, self.database_ca_file)
        return self


class BrokerSettings(_Base):
    """RabbitMQ's address."""

    amqp_url: str = Field(repr=False)
    amqp_ca_file: Path | None = None
    """Certificates to trust instead of the system's; `amqp_url` must begin with `amqps://`."""

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp(cls, url: str) -> str:
        return _check_url(url, ("amqp", "amqps"), "amqp://user:password@host:5672/")

    @field_validator("amqp_ca_file")
    @classmethod
    def _trusts_broker(cls, file: Path | None) -> Path | None:
        return tls.check_ca_file(file)

    @model_validator(mode="after")
    def _demand_broker_tls(self) -> Self:
        self.amqp_url = tls.broker_url(self.amqp_url, self.amqp_ca_file)
        return self


class RuntimeSettings(_Base):
    """Settings of every process: its HTTP address, log and shutdown."""

    http_host: str = Field(default="127.0.0.1", min_length=1)
    http_port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free port, which is logged and written to `http_port_file`."""
    http_port_file: Path | None = None
    http_header_timeout_seconds: float = Field(default=10, gt=0, le=300)
    """From the beginning of a request's head to its end."""
    http_max_connections: int = Field(default=800, ge=1, le=100_000)
    http_max_connections_per_address: int = Field(default=200, ge=1, le=100_000)
    http_trusted_proxies: Networks = ()
    """Trusted proxies: exempt from the limits per address, and their `X-Forwarded-For` is believed."""
    metrics_host: str | None = None
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """A port of its own for `/metrics`; otherwise it is served beside `/livez`. 0 takes a free one."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    shutdown_grace_seconds: float = Field(default=20, gt=0, le=3600)

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class ServiceSettings(DatabaseSettings, BrokerSettings, RuntimeSettings):
    """The settings that all services share; a service subclasses it for its own."""

    measure_seconds: float = Field(default=15, gt=0, le=300)
    """How often what is in the database and the broker is measured for the metrics."""


def variable(field: str) -> str:
    """The environment variable of a settings field."""
    return f"{PREFIX}{field.upper()}"


def load_settings(settings_type: type[S], **values: Any) -> S:
    """Read the settings from the environment; raises SettingsError with one line per wrong variable."""
    try:
        return settings_type(**values)
    except ValidationError as error:
        lines = dict.fromkeys(_explain(settings_type, item) for item in error.errors(include_input=False))
        raise SettingsError("\n".join(["The settings cannot be used:", *lines])) from None
    except SecretFileError as error:
        raise SettingsError(f"The settings cannot be used:\n{error}") from None
    except _SourceError as error:
        raise SettingsError(f"The settings cannot be used: {error}") from None


def _explain(settings_type: type[BaseSettings], item: Any) -> str:
    field = str(item["loc"][0]) if item["loc"] else ""
    if not field:
        return f"  {describe(item)}"
    problem = "is not set" if item["type"] == "missing" else describe(item)
    expected = settings_type.model_fields[field].description if field in settings_type.model_fields else None
    example = _EXAMPLES.get(field)
    hint = f" (for example {example})" if item["type"] == "missing" and example else ""
    return f"  {variable(field)}: {problem}{hint}{f': {expected}' if expected else ''}"


_EXAMPLES = {
    "database_url": "postgresql://user:password@host:5432/database",
    "amqp_url": "amqp://user:password@host:5672/",
    "encryption_keys": "a base64 key of 32 bytes",
    "link_key": "a base64 key of 32 bytes",
}


def address(url: str) -> str:
    """The host and port of a URL (of a database, each of several), without user or password."""
    try:
        default = {"amqp": 5672, "amqps": 5671}.get(urlsplit(url).scheme, 5432)
        named = [f"{host}:{port or default}" for host, port in _hosts(url) if host]
        return ", ".join(named) or "local socket"
    except ValueError:
        return "an address that cannot be read"


def _hosts(url: str) -> list[tuple[str | None, int | None]]:
    """What PostgreSQL's clients allow: several, separated by commas."""
    parts = urlsplit(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    each = [urlsplit(parts._replace(netloc=f"{credentials}{at}{host}").geturl()) for host in hosts.split(",")]
    return [(one.hostname, one.port) for one in each]
