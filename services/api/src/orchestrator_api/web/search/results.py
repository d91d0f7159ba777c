"""What a search offers, by kind: where each leads and what it says; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator_api.runs.rows import LastRun
from orchestrator_api.search.rows import FoundConfiguration
from orchestrator_api.search.service import Found
from orchestrator_api.web.sections import Section
from orchestrator_api.web.statuses import STATUSES
from orchestrator_api.web.urls import Urls
from orchestrator_api.web.visited import Visit

VERBS = ("run", "why")
MOST_ACTIONS = 2
WAITS = ("created", "waiting")


@dataclass(frozen=True, slots=True)
class Option:
    """One line."""

    url: str
    label: str
    icon: str
    detail: str = ""
    opens: bool = False
    """Whether it opens a dialog here; others lead to a page."""


@dataclass(frozen=True, slots=True)
class Group:
    """Options of one kind."""

    label: str
    options: Sequence[Option]


def typed(text: str) -> tuple[str, str]:
    """What is to be done, and with what: `run campaigns`, or nothing and all of it."""
    verb, _, rest = text.partition(" ")
    return (verb.lower(), rest) if rest and verb.lower() in VERBS else ("", text)


@dataclass(frozen=True, slots=True)
class Results:
    """Of one project; a page that does not exist is not offered."""

    urls: Urls
    project: str
    may_run: bool

    def groups(self, verb: str, rest: str, found: Found, last: Mapping[str, LastRun]) -> list[Group]:
        """What was found, and what can be done with it; what was asked for comes first."""
        things = [
            Group("Orchestrations", self._orchestrations(found.orchestrations)),
            Group("Runs", self._runs(found)),
            Group("Configurations", self._configurations(found.configurations)),
            Group("Tables", self._tables(found)),
            Group("Jobs", self._jobs(found)),
        ]
        actions = Group("Do", self._actions(verb, found.orchestrations, last))
        searched = Group("Search", self._everywhere(rest)) if rest else Group("Search", ())
        return [actions, *things, searched] if verb else [*things, actions, searched]

    def visited(self, visits: Sequence[Visit]) -> list[Group]:
        """The pages that were visited last."""
        return [Group("Visited last", [Option(each.path, each.title, "history") for each in visits])]

    def pages(self, sections: Sequence[Section], text: str) -> list[Group]:
        """The sections whose names have the text."""
        shown = [
            Option(
                self.urls(each.page) if each.is_of_instance else self._of(each.page), each.label, each.icon
            )
            for each in sections
            if text.lower() in each.label.lower()
        ]
        if text.lower() in "account":
            shown.append(Option(self.urls("account"), "Account", "user"))
        return [Group("Pages", shown)]

    def _orchestrations(self, found: Sequence[FoundConfiguration]) -> list[Option]:
        return [
            Option(self._of("orchestration", orchestration=each.id), each.name, "sitemap", _other(each))
            for each in found
        ]

    def _runs(self, found: Found) -> list[Option]:
        return [
            Option(
                self._of("run", orchestration=each.orchestration, number=each.number),
                f"{each.orchestration} #{each.number}",
                STATUSES[each.status].glyph,
                STATUSES[each.status].label,
            )
            for each in found.runs
        ]

    def _configurations(self, found: Sequence[FoundConfiguration]) -> list[Option]:
        if "configuration" not in self.urls.paths:
            return []
        return [
            Option(
                self._of("configuration", component=each.component, configuration=each.id),
                each.name,
                "adjustments",
                f"{each.component}/{each.id}",
            )
            for each in found
        ]

    def _tables(self, found: Found) -> list[Option]:
        if "table" not in self.urls.paths:
            return []
        shown = []
        for each in found.tables:
            owner = each.project if each.project != self.project else ""
            url = self.urls("table", project=self.project, table=each.name, query={"owner": owner})
            shown.append(Option(url, each.name, "table", f"of {owner}" if owner else ""))
        return shown

    def _jobs(self, found: Found) -> list[Option]:
        return [
            Option(
                self._of("job", job=each.id),
                f"{each.component}/{each.configuration} #{each.number}",
                STATUSES[each.status].glyph,
                STATUSES[each.status].label,
            )
            for each in found.jobs
        ]

    def _actions(
        self, verb: str, found: Sequence[FoundConfiguration], last: Mapping[str, LastRun]
    ) -> list[Option]:
        """They open their dialog or their answer, and never act."""
        shown = []
        for each in found if verb else found[:MOST_ACTIONS]:
            if self.may_run and verb != "why":
                url = self._of("run_orchestration", orchestration=each.id)
                shown.append(Option(url, f"Run {each.name}…", "player-play", opens=True))
            run = last.get(each.id)
            if run is not None and run.status in WAITS and verb != "run":
                url = self._of("run", orchestration=each.id, number=run.number)
                shown.append(Option(url, f"Why does {each.name} wait?", "help-circle"))
            elif "why" in self.urls.paths and verb != "run":
                url = self._of("why", orchestration=each.id)
                shown.append(Option(url, f"Why did {each.name} not run?", "help-circle"))
        return shown

    def _everywhere(self, text: str) -> list[Option]:
        url = self.urls("jobs", project=self.project, query={"q": f'"{text.replace(chr(34), "")}"'})
        return [Option(url, f"Jobs with “{text}”", "list-details")]

    def _of(self, name: str, **parts: object) -> str:
        return self.urls(name, query=None, project=self.project, **parts)


def _other(each: FoundConfiguration) -> str:
    return each.id if each.id != each.name else ""
