"""Who asks, and what they may do (PRODUCT section 7)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from orchestrator_api.domain.refusals import Forbidden, Unauthenticated
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import Origin

ALL_COMPONENTS = "*"


class Scope(StrEnum):
    """What a token may be good for."""

    READ = "read"
    CONFIGURE = "configure"
    RUN = "run"
    TABLES = "tables"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The bearer of a token."""

    token_id: UUID
    kind: str
    name: str
    project: str | None
    """None: an instance administrator's token, good for every project."""
    scopes: frozenset[str]
    components: tuple[str, ...]
    email: str | None = None
    is_administrator: bool = False

    @property
    def is_person(self) -> bool:
        return self.kind == "person"

    @property
    def origin(self) -> Origin:
        """What a run started by this token is called."""
        return Origin.MANUAL if self.is_person else Origin.API

    @property
    def label(self) -> str:
        """For people to read, in audit and jobs."""
        return (self.email or self.name if self.is_person else f"token {self.name}")[:200]

    @property
    def administers(self) -> bool:
        """Whether this is an instance administrator, who may everything."""
        return self.is_administrator and self.project is None and Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Refuse unless the token has the scope; `configure` and `run` let their bearer read, too."""
        if self.administers or scope in self.scopes:
            return
        if scope is Scope.READ and self.scopes & {Scope.CONFIGURE, Scope.RUN}:
            return
        if scope is Scope.ADMIN:
            raise Forbidden("only an instance administrator may do this")
        raise Forbidden(f"this token lacks the scope {scope.value!r}: use one that has it")

    def enter(self, project: str) -> None:
        """Refuse another project's token, without telling whether the project exists."""
        if not self.administers and self.project != project:
            raise no_such_project(project)

    def may_run(self, component: str) -> bool:
        """Whether the token may start runs of the component, or make a task of it.

        With no components listed, a token with the scope `run` may still start orchestrations.
        """
        if self.administers:
            return True
        if ALL_COMPONENTS in self.components or component in self.components:
            return True
        return component == ORCHESTRATOR and not self.components

    def require_run(self, component: str) -> None:
        """Refuse to start a run of the component."""
        self.require(Scope.RUN)
        if not self.may_run(component):
            raise Forbidden(
                f"this token may not run the component {component!r}: its list of components lacks it"
            )


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What decides whether a presented token is good."""

    expires_at: datetime | None
    revoked_at: datetime | None


def check_token(facts: TokenFacts | None, now: datetime) -> None:
    """Refuse a token that is unknown, revoked or expired."""
    if facts is None:
        raise Unauthenticated("this token is not known")
    if facts.revoked_at is not None:
        raise Unauthenticated("this token was revoked")
    if facts.expires_at is not None and facts.expires_at <= now:
        raise Unauthenticated("this token has expired")


def no_such_project(project: str) -> NotFound:
    """The one answer for a project that is not there and for one that is another's."""
    return NotFound(f"there is no project {project!r}", field="project")
