"""`orchestrator dev`: the whole product on this machine, without containers."""

import shlex
import time
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption
from orchestrator_cli.context import PROJECT_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE, read_context
from orchestrator_cli.failures import CommandFailure, ExitCode
from orchestrator_cli.output import console, plain, print_json, print_table
from orchestrator_local.commands.options import DEFAULT_STATE_DIR, StateDirOption, state_dir_option
from orchestrator_local.stack.data import remove_all
from orchestrator_local.stack.launch import bring_down, bring_up, running_stack
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.mail_sink import mails as mails_in
from orchestrator_local.stack.readiness import is_ready
from orchestrator_local.stack.record import StackRecord

app = typer.Typer()

WATCH_SECONDS = 0.3


@app.command()
def up(
    state_dir: StateDirOption = DEFAULT_STATE_DIR,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it running and return.")] = False,
    runners: Annotated[int, typer.Option(min=1, max=16, help="Number of runners to start.")] = 2,
) -> None:
    """Start PostgreSQL, RabbitMQ, a mail sink and all services.

    Set ORCHESTRATOR_DEV_DATABASE_URL and ORCHESTRATOR_DEV_AMQP_URL to use your own servers instead.
    """
    layout = Layout.at(state_dir)
    console().print(f"Starting a private stack in {plain(str(layout.root))}", markup=False)
    try:
        record, started = bring_up(layout, runners=runners, say=_print)
    except KeyboardInterrupt:
        _print("Stopping ...")
        bring_down(layout, _print)
        raise
    _print(f"Ready: {record.url}" if started else f"Already running: {record.url}")
    for line in where_to_look(layout, record):
        _print(f"  {line}")
    if started and not detach:
        _stay(layout)


def where_to_look(layout: Layout, record: StackRecord) -> list[str]:
    option = state_dir_option(layout.root)
    finding = f'use it: eval "$(orchestrator dev context{option})"' if option else "commands run here find it"
    return [
        f"API documentation  {record.url}/docs",
        f"token              in {layout.root / 'context.json'} ({finding})",
        f"logs               {layout.logs}",
        f"mails              {layout.mails} (or `orchestrator dev mails{option}`)",
        f"stop it            orchestrator dev down{option}",
    ]


def _stay(layout: Layout) -> None:
    """Stay in the foreground: show the supervisor's log until interrupted, then stop the stack."""
    _print("Press Ctrl-C to stop it.")
    log = layout.log("supervisor")
    try:
        with log.open(encoding="utf-8", errors="replace") as stream:
            stream.seek(0, 2)
            while running_stack(layout):
                for line in stream:
                    _print(plain(line.rstrip("\n")))
                time.sleep(WATCH_SECONDS)
        raise CommandFailure(f"the stack has stopped; see {log} for the reason")
    except KeyboardInterrupt:
        _print("Stopping ...")
        bring_down(layout, _print)


@app.command()
def down(
    state_dir: StateDirOption = DEFAULT_STATE_DIR,
    remove_data: Annotated[
        bool, typer.Option("--remove-data", help="Also delete databases, keys, mails and logs.")
    ] = False,
) -> None:
    """Stop everything that `dev up` started; the data is kept."""
    layout = Layout.at(state_dir)
    was_running = bring_down(layout, _print) if layout.root.is_dir() else False
    _print("Stopped." if was_running else "No local stack was running.")
    if remove_data and layout.keys.exists():  # only a folder that a stack created
        remove_all(layout)
        _print(f"Deleted {layout.root}.")
    elif layout.root.is_dir():
        _print(f"Data and logs are kept in {layout.root}")


@app.command()
def status(state_dir: StateDirOption = DEFAULT_STATE_DIR, as_json: JsonOption = False) -> None:
    """Show what runs, where, and whether it is ready; exit code 3 if nothing is running."""
    layout = Layout.at(state_dir)
    record = running_stack(layout)
    rows = _rows(record) if record else []
    if as_json:
        print_json({"state": record.state if record else "stopped", "url": record.url if record else None,
                    "processes": rows})  # fmt: skip
    elif record:
        _print(f"{record.state}: {record.url}")
        print_table(
            ("process", "pid", "port", "restarts", "state"),
            ((row["name"], row["pid"], row["port"], row["restarts"], row["state"]) for row in rows),
        )
    else:
        _print("No local stack is running.")
    if not record:
        raise typer.Exit(ExitCode.UNREACHABLE)


def _rows(record: StackRecord) -> list[Json]:
    return [
        {
            "name": name,
            "pid": entry.pid,
            "port": entry.port,
            "restarts": entry.restarts,
            "state": _state(entry.identity.is_running, entry.port, has_http=name != "mail-sink"),
        }
        for name, entry in record.processes.items()
    ]


def _state(alive: bool, port: int, *, has_http: bool) -> str:
    if not alive:
        return "ended"
    return "ready" if is_ready(port, has_http=has_http) else "not ready"


@app.command()
def mails(
    state_dir: StateDirOption = DEFAULT_STATE_DIR,
    show: Annotated[bool, typer.Option("--show", help="Show the newest mail's text.")] = False,
) -> None:
    """List the mails that the local mail sink received."""
    found = mails_in(Layout.at(state_dir).mails)
    if show and found:
        _print(f"{found[-1].subject}\nto {found[-1].to}\n")
        _print("\n".join(plain(line) for line in found[-1].first_lines(200)))
        return
    rows = ((mail.file.name, mail.to, mail.subject) for mail in found)
    print_table(("file", "to", "subject"), rows, empty="No mails yet.")


@app.command()
def context(state_dir: StateDirOption = DEFAULT_STATE_DIR) -> None:
    """Print the stack's settings for a shell: eval "$(orchestrator dev context)"."""
    found = read_context(Layout.at(state_dir).root)
    if found is None:
        raise CommandFailure("no local stack has been started here")
    variables = {
        URL_VARIABLE: found.url,
        TOKEN_VARIABLE: found.token,
        PROJECT_VARIABLE: found.project,
        "ORCHESTRATOR_AMQP_URL": found.amqp_url,
    }
    for name, value in variables.items():
        if value:
            print(f"export {name}={shlex.quote(value)}")


def _print(text: str) -> None:
    print(text, flush=True)
