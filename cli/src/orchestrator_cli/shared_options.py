"""Options that many commands take: `--profile` to choose a login, and `--output table|json`."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from orchestrator_cli.failures import BadInput, CommandFailure

FORMATS = ("table", "json")
NAMES = ("--output", "--profile")

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="The login to use; default: ORCHESTRATOR_PROFILE, or the last one.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="|".join(FORMATS),
        help="For people or for programs; --json is short for --output json.",
        autocompletion=lambda: list(FORMATS),
        show_default=False,
    ),
]


def add_shared_options(command: Any) -> None:
    """To a command and its subcommands: `--profile`, and `--output` where there is `--json` and none yet."""
    for below in getattr(command, "commands", {}).values():
        add_shared_options(below)
    if hasattr(command, "commands"):
        return
    names = {parameter.name for parameter in command.params}
    profile, output = _parameters()
    command.params.append(profile)
    adds_output = "as_json" in names and "output" not in names
    if adds_output:
        command.params.append(output)
    command.callback = _with_shared(command, adds_output=adds_output)


def _parameters() -> tuple[Any, Any]:
    holder = typer.Typer()

    @holder.command()
    def shared(profile: ProfileOption = None, output: OutputOption = None) -> None:
        raise NotImplementedError

    first, second = typer.main.get_command(holder).params[:2]
    return first, second


def _with_shared(command: Any, *, adds_output: bool) -> Callable[..., Any]:
    """The command, told what these options say; what the server refuses is named by its options."""
    callback: Callable[..., Any] = command.callback

    @wraps(callback)
    def called(*, profile: str | None = None, **given: Any) -> Any:
        if adds_output:
            given["as_json"] = _is_json(given.pop("output", None), asked=given["as_json"])
        from orchestrator_cli.context import profile_option

        before = profile_option.set(profile)
        try:
            return callback(**given)
        except CommandFailure as failure:
            from orchestrator_cli.option_names import name_options

            name_options(failure, command.params)
            raise
        finally:
            profile_option.reset(before)

    return called


def _is_json(output: str | None, *, asked: bool) -> bool:
    if output is None:
        return asked
    if output not in FORMATS:
        raise BadInput(f"--output {output}: expected table or json")
    if asked and output != "json":
        raise BadInput(f"--json and --output {output} contradict each other")
    return output == "json"
