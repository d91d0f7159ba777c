"""Every command and the module that defines it, imported only when the command is called."""

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand

from orchestrator_cli.failures import BadInput
from orchestrator_cli.plain_parameters import read_plainly
from orchestrator_cli.shared_options import add_shared_options
from orchestrator_cli.streams import Group

LOCAL = "orchestrator_local"
"""An optional package; the images do not have it."""


@dataclass(frozen=True)
class Place:
    """Where a command or command group is defined, and its line in the list of commands."""

    name: str
    where: str
    """`module:attribute`."""
    help: str
    calls_server: bool = True


PLACES = (
    Place(
        "dev",
        "orchestrator_local.commands.dev:app",
        "Run the whole product on this machine, without containers.",
        calls_server=False,
    ),
    Place("db", "orchestrator_cli.commands.db:app", "The services' database.", calls_server=False),
    Place(
        "login",
        "orchestrator_cli.commands.login:login",
        "Log in to a server in the browser, or with a token, and remember it.",
    ),
    Place(
        "logout",
        "orchestrator_cli.commands.login:logout",
        "Forget the token of a login; a token that the login made is revoked.",
    ),
    Place(
        "attention",
        "orchestrator_cli.commands.attention:attention",
        "Show what needs attention: failures, runs that take long, late tables, missed fires.",
    ),
    Place(
        "search",
        "orchestrator_cli.commands.search:search",
        "Find orchestrations, runs, configurations, tables and jobs by a few letters.",
    ),
    Place("orchestrations", "orchestrator_cli.commands.orchestrations:app", "Orchestrations."),
    Place("configurations", "orchestrator_cli.commands.configurations:app", "Configurations of components."),
    Place("trash", "orchestrator_cli.commands.trash:app", "Deleted orchestrations and configurations."),
    Place("jobs", "orchestrator_cli.commands.jobs:app", "Jobs and runs."),
    Place(
        "lanes",
        "orchestrator_cli.commands.waits:lanes",
        "Show which configurations jobs wait for, who holds them, and when those in line start.",
    ),
    Place("tasks", "orchestrator_cli.commands.arranging:tasks", "Arranging the tasks of an orchestration."),
    Place(
        "phases", "orchestrator_cli.commands.arranging:phases", "Arranging the phases of an orchestration."
    ),
    Place("schedules", "orchestrator_cli.commands.schedules:app", "Schedules."),
    Place("tables", "orchestrator_cli.commands.tables:app", "Tables and their updates."),
    Place("triggers", "orchestrator_cli.commands.triggers:app", "Event triggers."),
    Place("buckets", "orchestrator_cli.commands.buckets:app", "Sharing of buckets with other projects."),
    Place("variables", "orchestrator_cli.commands.variables:app", "Project variables."),
    Place("components", "orchestrator_cli.commands.components:app", "Registered components."),
    Place(
        "component",
        "orchestrator_cli.commands.component:app",
        "Develop your own component.",
        calls_server=False,
    ),
    Place("projects", "orchestrator_cli.commands.projects:app", "Projects."),
    Place("members", "orchestrator_cli.commands.members:app", "Members of a project and their roles."),
    Place("people", "orchestrator_cli.commands.people:app", "Accounts of the installation."),
    Place(
        "whoami",
        "orchestrator_cli.commands.people:whoami",
        "Show who you are to the server: a person and their roles, or a token and its scopes.",
    ),
    Place("me", "orchestrator_cli.commands.me:app", "How you see the pages, in every browser."),
    Place("tokens", "orchestrator_cli.commands.tokens:app", "Tokens of a project or of administrators."),
    Place(
        "dead-letters", "orchestrator_cli.commands.dead_letters:app", "Messages that could not be handled."
    ),
    Place(
        "automate",
        "orchestrator_cli.commands.automate:automate",
        "Create an orchestration that has one configuration as its only task, with a schedule if given.",
    ),
    Place(
        "usages",
        "orchestrator_cli.commands.automate:usages",
        "List the tasks that run a configuration or an orchestration.",
    ),
    Place(
        "apply",
        "orchestrator_cli.commands.definitions:apply",
        "Show how the project would change to match the files, ask, and change it.",
    ),
    Place(
        "validate",
        "orchestrator_cli.commands.definitions:validate",
        "Check files without a server; report each problem with file, line and column.",
        calls_server=False,
    ),
    Place(
        "diff",
        "orchestrator_cli.commands.definitions:diff",
        "Show what `apply` would change; exit code 1 if there are changes.",
    ),
    Place(
        "export",
        "orchestrator_cli.commands.definitions:export",
        "Print the project's definitions as YAML; secrets appear as ***, which apply leaves unchanged.",
    ),
    Place(
        "run",
        "orchestrator_cli.commands.run:run",
        "Start a run. With --follow, the exit code is 0 for success or warning, 1 for anything else.",
    ),
    Place("notifications", "orchestrator_cli.commands.notifications:app", "Who is notified of what."),
    Place(
        "deliveries",
        "orchestrator_cli.commands.deliveries:deliveries",
        "List the newest mails about runs: the reason, the recipient, and whether it was sent.",
    ),
    Place(
        "audit",
        "orchestrator_cli.commands.audit:audit",
        "List the newest changes, run requests and refusals: who did what, when, and from where.",
    ),
    Place(
        "backfill",
        "orchestrator_cli.commands.backfill:backfill",
        "Run a schedule's past fires, oldest first, one run each; repeating it adds nothing.",
    ),
    Place(
        "completion",
        "orchestrator_cli.commands.completion:completion",
        "Print the script that completes commands and options in a shell.",
        calls_server=False,
    ),
    Place(
        "demo",
        "orchestrator_local.commands.demo:demo",
        "Run a real pipeline on 336,776 flights and show what happened; the stack stays up afterwards.",
        calls_server=False,
    ),
)


class LazyCommand(TyperCommand):
    """A command's name and help, for lists; `load` imports the command itself."""

    def __init__(self, place: Place) -> None:
        super().__init__(name=place.name, help=place.help, rich_markup_mode=None)
        self.place = place

    def load(self) -> Any:
        """The command with its options; for a group, with its commands."""
        place = self.place
        found = _imported(place)
        parent = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            parent.add_typer(found, name=place.name, help=place.help, no_args_is_help=True)
        else:
            parent.command(place.name)(found)
        command = typer.main.get_group(parent).commands[place.name]
        if place.calls_server:
            add_shared_options(command)
        read_plainly(command)
        return command


def _imported(place: Place) -> Any:
    module, _, attribute = place.where.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != LOCAL:
            raise
        raise BadInput(
            f"`orchestrator {place.name}` needs the local stack, which is not installed here: "
            "install the package orchestrator-local (the folder local/ of the source)"
        ) from None


class LazyGroup(Group):
    """Lists all commands from the table; imports a module only when its command is called or completed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {place.name: LazyCommand(place) for place in PLACES}

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        read_plainly(self)  # here, because Typer adds the completion options after creating the group
        return super().make_context(*arguments, **options)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        try:
            return name, command.load() if isinstance(command, LazyCommand) else command, rest
        except BadInput:
            if ctx.resilient_parsing:  # completion: a command that is not installed offers nothing
                return name, command, rest
            raise
