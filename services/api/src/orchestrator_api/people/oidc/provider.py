"""The provider: where to send people, and who they are when they come back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import BaseModel, ValidationError

from orchestrator_api.people.oidc.endpoints import Endpoints, ProviderUnavailable
from orchestrator_api.people.oidc.group_roles import GroupRoles
from orchestrator_api.people.oidc.id_tokens import Expected, InvalidIdToken, verified
from orchestrator_api.people.oidc.pending import PendingSignIn

CALLBACK = "/sign-in/oidc/callback"
MAX_NAME_CHARACTERS = 200
_SUBJECT = re.compile(r"[ -~]{1,255}")


def printable(value: object, most: int) -> str:
    """A text of the provider that can be stored and shown; nothing for anything else."""
    return "".join(filter(str.isprintable, value))[:most].strip() if isinstance(value, str) else ""


class NotProved(Exception):
    """The provider has not said who the person is; the text says why, for the audit log."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What the operator says about the provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: str
    groups_claim: str
    groups: GroupRoles
    name: str
    """On the button."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, as the provider knows them."""

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str
    groups: frozenset[str]


class Metadata(BaseModel):
    """What we use of a provider's description of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: list[str] = []
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]

    @property
    def client_auth_method(self) -> str:
        if "client_secret_basic" in self.token_endpoint_auth_methods_supported:
            return "client_secret_basic"
        return "client_secret_post"

    @property
    def urls(self) -> list[str]:
        urls = [self.authorization_endpoint, self.token_endpoint, self.jwks_uri, self.userinfo_endpoint]
        return [url for url in urls if url is not None]


@dataclass(frozen=True, slots=True)
class Provider:
    """Asks for the provider's description and keys at every sign-in, so that new keys count at once."""

    settings: ProviderSettings
    endpoints: Endpoints = field(default_factory=Endpoints)

    async def authorization_url(self, pending: PendingSignIn) -> str:
        """Where the person signs in; raises ProviderUnavailable."""
        metadata = await self._metadata()
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=self.settings.redirect_uri,
            scope=self.settings.scopes,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return url

    async def identity(self, code: str, pending: PendingSignIn) -> Identity:
        """Who the code is for; raises NotProved and ProviderUnavailable."""
        metadata = await self._metadata()
        tokens = await self._tokens(metadata, code, pending)
        access_token = tokens.get("access_token")
        expected = Expected(
            self.settings.issuer,
            self.settings.client_id,
            pending.nonce,
            access_token if isinstance(access_token, str) else None,
        )
        keys = await self.endpoints.get(metadata.jwks_uri)
        try:
            claims = verified(
                str(tokens.get("id_token", "")),
                keys,
                metadata.id_token_signing_alg_values_supported,
                expected,
            )
        except InvalidIdToken as error:
            raise NotProved(f"the ID token is not valid: {error}") from error
        return self._identity(await self._completed(metadata, claims, expected.access_token))

    async def _metadata(self) -> Metadata:
        issuer = self.settings.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            metadata = Metadata.model_validate(await self.endpoints.get(url))
        except ValidationError as error:
            missing = ", ".join(str(each["loc"][0]) for each in error.errors(include_input=False))
            raise ProviderUnavailable(f"{url}: missing or wrong: {missing}") from None
        if metadata.issuer != issuer:
            raise ProviderUnavailable(f"{url}: the issuer is {metadata.issuer[:200]!r}, not {issuer!r}")
        if issuer.startswith("https://") and not all(url.startswith("https://") for url in metadata.urls):
            raise ProviderUnavailable(f"{url}: an endpoint is not an https URL")
        return metadata

    async def _tokens(self, metadata: Metadata, code: str, pending: PendingSignIn) -> Mapping[str, Any]:
        redirect_uri = self.settings.redirect_uri
        form = prepare_token_request(
            "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=pending.verifier
        )
        client = ClientAuth(self.settings.client_id, self.settings.client_secret, metadata.client_auth_method)
        url, headers, form = client.prepare("POST", metadata.token_endpoint, {}, form)
        answer = await self.endpoints.post(url, headers, form)
        if answer.status != 200:
            reason = printable(answer.body.get("error"), 100) or answer.status
            raise NotProved(f"the provider refuses the code: {reason}")
        return answer.body

    async def _completed(
        self, metadata: Metadata, claims: dict[str, Any], access_token: str | None
    ) -> dict[str, Any]:
        """Some providers tell the address or the groups only at their userinfo endpoint."""
        wanted = {"email", "email_verified"} | (
            {self.settings.groups_claim} if self.settings.groups else set()
        )
        if wanted <= claims.keys() or metadata.userinfo_endpoint is None or access_token is None:
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        told = await self.endpoints.get(metadata.userinfo_endpoint, headers)
        if told.get("sub") != claims["sub"]:
            raise NotProved("the userinfo endpoint answered for another person")
        return {**told, **claims}

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, email = claims["sub"], claims.get("email")
        is_text = isinstance(email, str) and email.isascii() and email.isprintable()
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise NotProved("the subject is not a text of at most 255 ASCII characters")
        groups = claims.get(self.settings.groups_claim, [])
        texts = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Identity(
            issuer=self.settings.issuer,
            subject=subject,
            email=str(email) if is_text else "",
            is_verified=claims.get("email_verified") in (True, "true"),
            name=printable(claims.get("name"), MAX_NAME_CHARACTERS),
            groups=frozenset(each for each in texts if isinstance(each, str)),
        )
