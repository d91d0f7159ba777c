"""Who makes a request, and what they may do (docs/reference/tokens.md, docs/reference/roles.md).

The rule about configurations is defined only here. Starting a configuration as it is defined takes the scope
`run` and its component, or the configuration itself, in the token's list. Saving it, or running it otherwise
than defined, takes the scope `configure` and its component. A token that may only run sees the runs that it
started.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from orchestrator_api.http.refusals import Forbidden, Unauthenticated
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import Origin

ALL_COMPONENTS = "*"
ALL_BUCKETS = "*"
DISABLED = "this account is disabled: ask an administrator"
OF_ORCHESTRATION = "orchestration "
"""How the name of an orchestration's own token begins; its id follows."""


class Scope(StrEnum):
    """What a token or a role allows."""

    READ = "read"
    CONFIGURE = "configure"
    RUN = "run"
    PUBLISH = "publish"
    SWITCH = "switch"
    """To enable and disable orchestrations, schedules and triggers; `configure` includes it."""
    ADMINISTER = "administer"
    """To manage a project's members, tokens, shares and limits, and to read its audit log."""
    ADMIN = "admin"
    """Everything in every project: instance administrators only."""
    JOB = "job"
    """Of job tokens only: read the own job, its runs, and variables that are not secret."""


READ_OR_JOB = (Scope.READ, Scope.JOB)
STATUS_OF_JOB = (Scope.READ, Scope.RUN, Scope.JOB)
STATUS = (Scope.READ, Scope.RUN)
"""Either one is enough to read the status of jobs; `run` alone shows only runs that the token started."""


class Role(StrEnum):
    """What a person is in a project."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


_EDITOR = frozenset({Scope.READ, Scope.CONFIGURE, Scope.RUN, Scope.PUBLISH, Scope.SWITCH})
_SCOPES: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _EDITOR | {Scope.ADMINISTER},
}
_MAY_RUN = frozenset({Scope.RUN, Scope.SWITCH})


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's role in one project."""

    role: Role
    may_run: bool = False
    """Of a viewer: to run, retry, terminate, and switch on and off as well."""

    @property
    def scopes(self) -> frozenset[str]:
        """What the role allows in its project."""
        return _SCOPES[self.role] | (_MAY_RUN if self.may_run else frozenset())


@dataclass(frozen=True, slots=True)
class OwnJob:
    """The job whose program makes a request."""

    id: UUID
    readable: frozenset[UUID]
    """The job itself, the run that it is a task of, and the outermost run."""
    chain_length: int


@dataclass(frozen=True, slots=True)
class Actor:
    """The bearer of a token."""

    token_id: UUID
    kind: str
    name: str
    project: str | None
    """None for an instance administrator's token, which is valid for every project."""
    scopes: frozenset[str]
    components: tuple[str, ...]
    buckets: tuple[str, ...] = ()
    """Buckets whose table updates it may publish with the scope `publish`; `*` for all."""
    email: str | None = None
    is_administrator: bool = False
    person_id: UUID | None = None
    own_job: OwnJob | None = None
    """Only for a job token."""
    session_id: UUID | None = None
    """Of a person who is signed in; `token_id` is then the person's id, so that a repeated request is
    recognized after signing in again."""

    @property
    def is_person(self) -> bool:
        return self.kind == "person"

    @property
    def origin(self) -> Origin:
        """The origin that is recorded for a run started by this token."""
        return Origin.MANUAL if self.is_person else Origin.API

    @property
    def label(self) -> str:
        """The name shown to people in the audit log and in jobs."""
        return (self.email or self.name if self.is_person else f"token {self.name}")[:200]

    @property
    def administers(self) -> bool:
        """Whether this is an instance administrator, who may do everything."""
        return self.is_administrator and self.project is None and Scope.ADMIN in self.scopes

    @property
    def reads_project(self) -> bool:
        """Whether it sees the whole project; otherwise it sees at most the runs that it started."""
        return self._has(Scope.READ)

    def _has(self, scope: Scope) -> bool:
        if self.administers:
            return True
        if scope is Scope.READ and Scope.CONFIGURE in self.scopes:
            return True
        return scope in self.scopes and scope is not Scope.ADMIN

    def may(self, *scopes: Scope) -> bool:
        """Whether it has one of the scopes: decides what is offered, while `require` decides what is done."""
        return any(self._has(scope) for scope in scopes)

    def require(self, *scopes: Scope) -> None:
        """Refuse unless the token has one of the scopes; `configure` includes reading, `run` does not."""
        if self.may(*scopes):
            return
        if scopes == (Scope.ADMIN,):
            raise Forbidden("only an instance administrator may do this")
        wanted = " or ".join(repr(scope.value) for scope in scopes)
        if self.is_person:
            raise Forbidden(f"your role does not allow this (it needs {wanted}): ask an admin of the project")
        raise Forbidden(f"this token lacks the scope {wanted}: use one that has it")

    def enter(self, project: str) -> None:
        """Refuse another project's token, without revealing whether the project exists."""
        if not self.administers and self.project != project:
            raise no_such_project(project)

    def within(self, project: str, membership: Membership | None) -> "Actor":
        """This person in a project; a project that they are not a member of does not exist for them."""
        if membership is None:
            raise no_such_project(project)
        return replace(
            self,
            project=project,
            scopes=membership.scopes,
            components=(ALL_COMPONENTS,),
            buckets=(ALL_BUCKETS,),
        )

    def may_run(self, component: str) -> bool:
        """Whether the token may run the component.

        If the token lists no components, the scope `run` still allows it to start orchestrations.
        """
        if self.administers:
            return True
        if ALL_COMPONENTS in self.components or component in self.components:
            return True
        return component == ORCHESTRATOR and not self.components and Scope.RUN in self.scopes

    def may_start(self, component: str, configuration: str | None) -> bool:
        """Whether the token may start this configuration as it is defined; None for any one of the component.

        A list may name single configurations, as `orchestrator/campaigns`: they can be started, and no more.
        """
        if self.may_run(component):
            return True
        if configuration is None:
            return any(each.startswith(f"{component}/") for each in self.components)
        return f"{component}/{configuration}" in self.components

    def require_run(self, component: str, configuration: str | None) -> None:
        """Refuse to start a run of this configuration as it is defined; None for any one of the component."""
        self.require(Scope.RUN)
        if self.may_start(component, configuration):
            return
        if configuration is not None and self.may_start(component, None):
            raise Forbidden(
                f"this token may not run {component}/{configuration}: use one whose components include it"
            )
        raise Forbidden(
            f"this token may not run the component {component!r}: add it to the token's components"
        )

    def require_publish(self, bucket: str, field: str) -> None:
        """Refuse to publish updates of this bucket's tables."""
        self.require(Scope.PUBLISH)
        if self.administers or ALL_BUCKETS in self.buckets or bucket in self.buckets:
            return
        raise Forbidden(
            f"this token may not publish updates of the bucket {bucket!r}: "
            "use a token whose buckets include it",
            field=field,
        )

    def require_configure(self, component: str, field: str | None = None) -> None:
        """Refuse to save anything of the component, or anything that would change how it runs."""
        if not self._has(Scope.CONFIGURE):
            if self.is_person:
                raise Forbidden(
                    f"your role does not allow changing what {component!r} runs: "
                    "ask an admin of the project to make you an editor",
                    field=field,
                )
            raise Forbidden(
                f"this token may only start what is defined: to change what {component!r} runs, use one with "
                "the scope 'configure'",
                field=field,
            )
        if not self.may_run(component):
            raise Forbidden(
                f"this token may not run the component {component!r}, so it may not configure it: "
                "add it to the token's components",
                field=field,
            )

    def require_switch(self) -> None:
        """Refuse to enable or disable what belongs to an orchestration."""
        if not self._has(Scope.SWITCH):
            self.require_configure(ORCHESTRATOR)

    @property
    def configures(self) -> bool:
        """Whether the token may configure anything at all."""
        return self._has(Scope.CONFIGURE)

    @property
    def configures_everything(self) -> bool:
        """Whether the token may configure every component, so that nothing needs to be looked up."""
        return self.administers or (self._has(Scope.CONFIGURE) and ALL_COMPONENTS in self.components)


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The facts that decide whether a presented token is valid."""

    expires_at: datetime | None
    revoked_at: datetime | None
    is_disabled: bool = False
    """The account of the person whose token it is."""


def check_token(facts: TokenFacts | None, now: datetime) -> None:
    """Refuse a token that is unknown, revoked or expired."""
    if facts is None:
        raise Unauthenticated("this token is not known")
    if facts.revoked_at is not None:
        raise Unauthenticated("this token was revoked")
    if facts.expires_at is not None and facts.expires_at <= now:
        raise Unauthenticated("this token has expired")
    if facts.is_disabled:
        raise Unauthenticated(DISABLED)


def no_such_project(project: str) -> NotFound:
    """The same error for a project that does not exist and for one that belongs to someone else."""
    return NotFound(f"there is no project {project!r}", field="project")
