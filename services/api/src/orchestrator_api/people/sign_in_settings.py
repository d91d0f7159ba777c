"""Settings of how people sign in: with a password, with an identity provider, or either way."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from orchestrator_api.access.permissions import Membership
from orchestrator_api.people.oidc.group_roles import parse_group_roles
from orchestrator_api.people.oidc.provider import CALLBACK, Provider, ProviderSettings
from orchestrator_api.people.rows import WaysIn
from orchestrator_shared.settings import DatabaseSettings

GroupRolesSetting = Annotated[
    dict[str, dict[str, Membership] | Literal["instance-admin"]], NoDecode, BeforeValidator(parse_group_roles)
]
MAX_SECRET_BYTES = 10_000


class SignInSettings(DatabaseSettings):
    """Passwords, and one provider of OpenID Connect."""

    public_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    password_sign_in: bool = True
    oidc_issuer: str | None = None
    """Exactly as the provider writes it: `/.well-known/openid-configuration` below it describes it."""
    oidc_client_id: str | None = Field(default=None, max_length=500)
    oidc_client_secret: str | None = Field(default=None, repr=False, max_length=MAX_SECRET_BYTES)
    oidc_scopes: str = Field(default="openid email profile", pattern=r"^[!-~]+( [!-~]+)*$")
    oidc_groups_claim: str = Field(default="groups", min_length=1)
    oidc_groups: GroupRolesSetting = Field(default={})
    oidc_name: str = Field(default="single sign-on", min_length=1, max_length=100)

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, issuer: str | None) -> str | None:
        if issuer is None:
            return None
        try:
            parts = urlsplit(issuer)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_url = False
        if not is_url or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("expected the provider's URL, such as https://login.example.com/realms/team")
        return issuer

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_for_an_id_token(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("must contain openid")
        return scopes

    @model_validator(mode="after")
    def _can_sign_in(self) -> "SignInSettings":
        if self.oidc_issuer is None:
            if not self.password_sign_in:
                raise ValueError(
                    "without ORCHESTRATOR_OIDC_ISSUER, nobody could sign in: "
                    "ORCHESTRATOR_PASSWORD_SIGN_IN must be true"
                )
            return self
        if self.oidc_client_id is None or self.public_url is None:
            raise ValueError(
                "ORCHESTRATOR_OIDC_ISSUER needs ORCHESTRATOR_OIDC_CLIENT_ID and ORCHESTRATOR_PUBLIC_URL"
            )
        if self.oidc_client_secret is None:
            raise ValueError("ORCHESTRATOR_OIDC_ISSUER needs ORCHESTRATOR_OIDC_CLIENT_SECRET")
        return self


def ways_in(settings: SignInSettings) -> WaysIn:
    """How an administrator can get in without a token."""
    return WaysIn(settings.password_sign_in, settings.oidc_issuer)


def provider_of(settings: SignInSettings) -> Provider | None:
    """The provider that the settings name."""
    if settings.oidc_issuer is None:
        return None
    assert settings.oidc_client_id is not None
    assert settings.public_url is not None
    return Provider(
        ProviderSettings(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret or "",
            redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
            scopes=settings.oidc_scopes,
            groups_claim=settings.oidc_groups_claim,
            groups=settings.oidc_groups,
            name=settings.oidc_name,
        )
    )
