"""Settings of the notifier."""

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from orchestrator_notifier.domain.addresses import Sender
from orchestrator_shared.settings import EncryptionKeys, ServiceSettings

DAY = 86_400


class NotifierSettings(ServiceSettings):
    """See docs/reference/settings.md."""

    link_key: EncryptionKeys = Field(min_length=1, repr=False)
    """Signs the links in mails to people; the first key signs."""
    smtp_host: str = Field(min_length=1, max_length=255)
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str | None = Field(default=None, max_length=320)
    smtp_password: str | None = Field(default=None, repr=False, max_length=1000)
    smtp_ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    smtp_connect_timeout_seconds: float = Field(default=15, gt=0, le=120)
    smtp_send_timeout_seconds: float = Field(default=30, gt=0, le=300)
    mail_from: str
    public_url: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=500)

    scan_seconds: float = Field(default=30, gt=0, le=3600)
    scan_overlap_seconds: float = Field(default=300, ge=0, le=86_400)
    poll_seconds: float = Field(default=1, gt=0, le=60)
    delivery_batch: int = Field(default=20, ge=1, le=500)
    delivery_lease_seconds: float = Field(default=60, gt=0, le=3600)
    delivery_retry_first_seconds: float = Field(default=10, gt=0, le=3600)
    delivery_retry_most_seconds: float = Field(default=300, gt=0, le=86_400)
    delivery_give_up_seconds: float = Field(default=DAY, ge=0, le=30 * DAY)
    retention_days: int = Field(default=90, ge=1)

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, text: str) -> str:
        Sender.parse(text)
        return text

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, url: str | None) -> str | None:
        return url.rstrip("/") if url else None

    @model_validator(mode="after")
    def _fits_together(self) -> "NotifierSettings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError(
                "set ORCHESTRATOR_SMTP_USERNAME and ORCHESTRATOR_SMTP_PASSWORD together or not at all"
            )
        if self.smtp_password and self.smtp_tls == "none" and not _is_loopback(self.smtp_host):
            raise ValueError(
                "ORCHESTRATOR_SMTP_TLS=none would send the password in clear: set it to starttls or tls"
            )
        if self.delivery_lease_seconds < self.smtp_connect_timeout_seconds + self.smtp_send_timeout_seconds:
            raise ValueError(
                "ORCHESTRATOR_DELIVERY_LEASE_SECONDS must be at least the sum of "
                "ORCHESTRATOR_SMTP_CONNECT_TIMEOUT_SECONDS and ORCHESTRATOR_SMTP_SEND_TIMEOUT_SECONDS"
            )
        return self

    @property
    def sender(self) -> Sender:
        """The sender of the mails."""
        return Sender.parse(self.mail_from)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
