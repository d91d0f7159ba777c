"""`orchestrator demo`: a real pipeline on real data, by hand, by event, by time, and one that fails."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import TOKEN_VARIABLE, Context, read_context, token_of_environment
from orchestrator_cli.failures import BadInput, CommandFailure, ExitCode
from orchestrator_cli.output import console, duration
from orchestrator_local.commands.dev import down
from orchestrator_local.commands.options import DEFAULT_STATE_DIR, StateDirOption, state_dir_option
from orchestrator_local.demo.crash import play_crash
from orchestrator_local.demo.data import begin_fetching, finish_fetching
from orchestrator_local.demo.mailboxes import FolderMailbox, MailpitMailbox
from orchestrator_local.demo.play import command_name, play, shown_path
from orchestrator_local.demo.scenario import DATA_FOLDER, Example, find_example
from orchestrator_local.demo.setting import Setting
from orchestrator_local.stack.launch import bring_up, keep_private
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.welcome import PROJECT, ensure_project


def demo(
    state_dir: StateDirOption = DEFAULT_STATE_DIR,
    example: Annotated[Path | None, typer.Option(help="The folder of the example.")] = None,
    api_url: Annotated[str | None, typer.Option(help="Run on this server instead of a local stack.")] = None,
    token: Annotated[
        str | None, typer.Option(help="Its administrator token; default: ORCHESTRATOR_TOKEN.")
    ] = None,
    project: Annotated[str, typer.Option(help="The project to use.")] = PROJECT,
    warehouse_url: Annotated[
        str | None,
        typer.Option(help="With --api-url: the warehouse URL as seen from here, to show its rows."),
    ] = None,
    runner_warehouse_url: Annotated[
        str | None,
        typer.Option(
            help="With --api-url: the warehouse URL as the runner sees it; sets the project's variable."
        ),
    ] = None,
    files: Annotated[
        Path | None, typer.Option(help="With --api-url: the runner's files folder as seen from here.")
    ] = None,
    mail_url: Annotated[str | None, typer.Option(help="With --api-url: the URL of a Mailpit server.")] = None,
    crash: Annotated[bool, typer.Option("--crash", help="Kill a runner in the middle of a run.")] = False,
    stop: Annotated[bool, typer.Option("--down", help="Stop the stack that a demo left running.")] = False,
) -> None:
    """Run a real pipeline on 336,776 flights and show what happened; the stack stays up afterwards."""
    if stop:
        down(state_dir, remove_data=False)
        return
    screen = console()
    if api_url:
        if crash:
            raise BadInput(
                "--crash kills a process of the local stack, so it cannot be combined with --api-url"
            )
        context = Context(api_url, token or token_of_environment(), project)
        if files:
            print(finish_fetching(begin_fetching(find_example(example), files / project)).splitlines()[-1])
        mailbox = MailpitMailbox(mail_url) if mail_url else None
        setting = _remote(context, mailbox, warehouse_url, runner_warehouse_url)
        fine = play(setting, find_example(example), screen)
    else:
        fine = _play_here(Layout.at(state_dir), find_example(example), project, screen, crash=crash)
    raise typer.Exit(ExitCode.OK if fine else ExitCode.RUN_FAILED)


def _play_here(layout: Layout, example: Example, project: str, screen: Console, *, crash: bool) -> bool:
    began = time.monotonic()
    keep_private()
    layout.prepare()
    screen.print("An orchestrator on this machine: PostgreSQL, RabbitMQ and five services, all private to")
    screen.print(
        f"{layout.root}, on free loopback ports; `{_down_command(layout)}` stops it.\n", markup=False
    )
    fetching = begin_fetching(example, layout.files / project)
    try:
        _, started = bring_up(layout, runners=2, say=lambda text: print(text, flush=True))
    except BaseException:
        fetching.kill()
        fetching.wait(5)
        raise
    finish_fetching(fetching)
    word = "The stack is up" if started else "The stack was already running"
    data = shown_path(layout.files / project / DATA_FOLDER)
    print(f"{word} after {duration(time.monotonic() - began)}; the data is in {data}\n", flush=True)
    setting = _local(layout, project)
    if crash:
        return play_crash(setting, layout, example, screen)
    return play(setting, example, screen)


def _local(layout: Layout, project: str) -> Setting:
    found = read_context(layout.root)
    if found is None:
        raise CommandFailure(
            f"{layout.root} has no context.json although the stack is running; stop it and start it again"
        )
    context = replace(found, project=project)
    with context.client() as client:
        _set_warehouse(client, context, found.warehouse_url)
    option = state_dir_option(layout.root)
    down_command = _down_command(layout)
    has_make = Path("Makefile").is_file() and not option
    end = f"make down   (or: {down_command})" if has_make else down_command
    mails = f"{shown_path(layout.mails)}   ({command_name()} dev mails --show{option})"
    return Setting(context, FolderMailbox(layout.mails, mails), found.warehouse_url, end, option)


def _down_command(layout: Layout) -> str:
    return f"{command_name()} demo --down{state_dir_option(layout.root)}"


def _remote(
    context: Context,
    mailbox: MailpitMailbox | None,
    warehouse_url: str | None,
    runner_warehouse_url: str | None,
) -> Setting:
    if not context.token:
        raise BadInput(f"--api-url needs a token: pass --token or set {TOKEN_VARIABLE}")
    if runner_warehouse_url:
        with context.client() as client:
            _set_warehouse(client, context, runner_warehouse_url)
    return Setting(context, mailbox, warehouse_url or "", "the way you started it (docker compose down)")


def _set_warehouse(client: ApiClient, context: Context, url: str) -> None:
    ensure_project(client, context.project)
    client.put(context.project_path("variables/warehouse"), {"value": url, "secret": True})
