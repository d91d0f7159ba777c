"""Settings of the api."""

from pydantic import Field, field_validator, model_validator

from orchestrator_api.people.sign_in_settings import SignInSettings
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.mail_addresses import check_mail_address
from orchestrator_shared.sealed_values import SecretForm
from orchestrator_shared.settings import EncryptionKeys, ServiceSettings

MIN_TOKEN_CHARACTERS = 32


class ApiSettings(ServiceSettings, SignInSettings):
    """What the API needs in addition to every service's settings."""

    encryption_keys: EncryptionKeys = Field(min_length=1, repr=False)
    secret_form: SecretForm = "v2"  # noqa: S105  a form, no secret
    """The form in which secrets are encrypted; both are read."""
    link_key: EncryptionKeys = Field(min_length=1, repr=False)
    """Signs the links that people get; the first key signs, all verify."""
    admin_email: str | None = None
    admin_token: str | None = Field(default=None, repr=False, max_length=500)
    wrong_tokens_per_minute: int = Field(default=30, ge=1, le=10_000)
    """Per address. Beyond that, only tokens that were valid within the last hour are accepted at once."""
    requests_per_second: int = Field(default=500, ge=1, le=100_000)
    """Of one token or session at one replica, in the long run; only programs gone wild should meet it."""
    requests_burst: int = Field(default=2_000, ge=1, le=1_000_000)
    """How many requests a token that was quiet may send at once."""
    session_idle_seconds: int = Field(default=24 * 3600, ge=60, le=30 * 24 * 3600)
    """A session that is not used for so long ends."""
    session_lifetime_seconds: int = Field(default=14 * 24 * 3600, ge=60, le=90 * 24 * 3600)
    """Every session ends after this time, used or not."""
    metrics_port: int | None = Field(default=0, ge=0, le=65535)
    """A port of its own: the HTTP port is open to everyone, but the metrics are not."""
    retention_days: int = Field(default=90, ge=1, le=36500)
    """How long what was deleted, revoked, used up or abandoned is kept."""
    audit_retention_days: int = Field(default=730, ge=30, le=36500)
    """The database keeps audit records for 30 days, whatever this says."""
    log_retention_days: int = Field(default=30, ge=1)
    """As long as the runners keep logs; so pages say when one was removed."""

    streams_max: int = Field(default=500, ge=1, le=100_000)
    """Open streams of events; keep it below `http_max_connections`."""
    streams_max_per_token: int = Field(default=20, ge=1, le=100_000)
    streams_check_seconds: float = Field(default=15, gt=0, le=30)
    """How often the tokens of open streams are checked."""
    streams_poll_seconds: float = Field(default=2, gt=0, le=60)
    """How often to look for changes while the broker tells of none."""

    @field_validator("admin_email")
    @classmethod
    def _is_mail_address(cls, email: str | None) -> str | None:
        try:
            return email if email is None else check_mail_address(email)
        except UserError as error:
            raise ValueError(error.detail) from error

    @field_validator("admin_token")
    @classmethod
    def _is_long(cls, token: str | None) -> str | None:
        if token is not None and len(token) < MIN_TOKEN_CHARACTERS:
            raise ValueError(f"must have at least {MIN_TOKEN_CHARACTERS} characters")
        return token

    @model_validator(mode="after")
    def _has_both(self) -> "ApiSettings":
        if (self.admin_email is None) != (self.admin_token is None):
            raise ValueError(
                "set ORCHESTRATOR_ADMIN_EMAIL and ORCHESTRATOR_ADMIN_TOKEN together or not at all"
            )
        return self
