"""What surrounds the content of a page in a project: who looks at it, the projects, the sections."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from orchestrator_api.access.browser_sessions import form_token
from orchestrator_api.access.permissions import Actor, Scope
from orchestrator_api.events.service import resume_id
from orchestrator_api.http.session import Session
from orchestrator_api.projects import service as projects
from orchestrator_api.projects.rows import ProjectSizes, StoredProject
from orchestrator_api.web import words
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.sections import GROUPS, SECTIONS, Section

MOST_PROJECTS = 100


@dataclass(frozen=True, slots=True)
class Frame:
    """For the layout; `section` is the name of the current section's page."""

    actor: Actor
    csrf: str
    project: StoredProject | None
    projects: Sequence[StoredProject]
    section: str
    badges: Fields
    """Beside sections, by the names of their pages."""
    resume_id: str = ""
    """From where the page's stream of events tells what happened since the page was read."""

    @property
    def person(self) -> str:
        """How the person is called."""
        return self.actor.name or self.actor.email or ""

    @property
    def initials(self) -> str:
        return words.initials(self.person)

    @property
    def groups(self) -> list[tuple[str, list[Section]]]:
        """The sections that the person may open, by group; outside of a project those of the instance."""
        shown = [each for each in SECTIONS if self._may_open(each)]
        shown.sort(key=lambda each: GROUPS.index(each.group))
        return [(group, list(found)) for group, found in groupby(shown, lambda each: each.group)]

    def _may_open(self, section: Section) -> bool:
        if section.is_of_instance:
            return self.actor.administers
        return self.project is not None and self.actor.may(section.scope)

    @property
    def may_administer(self) -> bool:
        return self.actor.may(Scope.ADMINISTER)

    @property
    def may_configure(self) -> bool:
        return self.actor.may(Scope.CONFIGURE)

    @property
    def may_run(self) -> bool:
        return self.actor.may(Scope.RUN)

    @property
    def may_switch(self) -> bool:
        return self.actor.may(Scope.SWITCH)


async def frame_of(session: Session, secret: str, section: str) -> Frame:
    """The frame of a page in the session's project, or outside any."""
    listed = await projects.listing(session, None, MOST_PROJECTS)
    project = next((each for each in listed if each.id == session.project), None)
    if project is None and session.project:
        project = await projects.load(session)
    at, badges = "", Fields()
    if session.project:
        at = await resume_id(session)
        badges = _badges(await projects.sizes(session))
    return Frame(session.actor, form_token(secret), project, listed, section, badges, at)


def _badges(sizes: ProjectSizes) -> Fields:
    running = f"{words.number(sizes.running)} running" if sizes.running else ""
    return Fields(orchestrations=words.number(sizes.orchestrations), jobs=running)
