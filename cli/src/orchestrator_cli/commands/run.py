"""`orchestrator run`: start an orchestration or a configuration, and follow it until it ends."""

import json
import re
from typing import Annotated, Any

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import ConfirmOption, JsonOption, NotifyOption, ProjectOption, context
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput, ExitCode
from orchestrator_cli.output import console, error_console, print_json

_KEY = re.compile(r'(?P<key>"(?:[^"\\\x00-\x1f]|\\["\\/])+"|[^.="][^.=]*)(?P<end>[.=])')
"""One key of `--param`: plain, or a quoted JSON string if it contains dots or equals signs."""


def run(
    name: Annotated[str, typer.Argument(help="An orchestration, or component/configuration.")],
    project: ProjectOption = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="Run only this task; repeatable.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            help="key=value, merged over the parameters; for an orchestration task.key=value. Quote a name "
            "that contains dots: '\"a.b\".key=value'. Repeatable.",
        ),
    ] = None,
    scheduled_for: Annotated[
        str | None, typer.Option(help="The scheduled time that the run is for (RFC 3339).")
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Run this version instead of the newest.")
    ] = None,
    confirm: ConfirmOption = False,
    notify: NotifyOption = True,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow it until it ends.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Treat a run that ends with a warning as failed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a run. With --follow, the exit code is 0 for success or warning, 1 for anything else."""
    where = context(project)
    body: Json = {
        "tasks": task or None,
        "parameters": parse_parameters(param or []) or None,
        "scheduled_for": scheduled_for,
        "version": version,
        **flags(confirm=confirm, notify=notify),
    }
    with where.client() as client:
        answer = client.post_once(
            runs_path(where, name), {key: value for key, value in body.items() if value is not None}
        )
        if not follow:
            _print_started(answer, as_json=as_json)
            return
        job = _follow(client, where, str(answer["job_id"]), as_json=as_json)
    raise typer.Exit(exit_code(job, strict=strict))


def flags(*, confirm: bool, notify: bool) -> Json:
    """Only what differs from the server's defaults."""
    return {**({"confirm": True} if confirm else {}), **({} if notify else {"notify": False})}


def runs_path(where: Context, name: str) -> str:
    component, slash, configuration = name.rpartition("/")
    kind = f"configurations/{component}/{configuration}" if slash else f"orchestrations/{name}"
    return where.project_path(f"{kind}/runs")


def parse_parameters(pairs: list[str]) -> dict[str, Any]:
    """`a.b=1` is {"a": {"b": 1}}, `"a.b".c=1` is {"a.b": {"c": 1}}; a value that is valid JSON is parsed."""
    made: dict[str, Any] = {}
    for pair in pairs:
        (*folders, last), text = _keys(pair)
        place = made
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                raise BadInput(f"--param {pair}: {folder} already has a value")
        place[last] = _value(text)
    return made


def _keys(pair: str) -> tuple[list[str], str]:
    """The keys before the first unquoted `=`, and the text after it."""
    keys: list[str] = []
    at = 0
    while True:
        match = _KEY.match(pair, at)
        if match is None:
            raise BadInput(
                f'--param {pair}: expected key=value, as in load.rows=5; quote keys with dots: "a.b".rows=5'
            )
        keys.append(_unquoted(match["key"]))
        at = match.end()
        if match["end"] == "=":
            return keys, pair[at:]


def _unquoted(key: str) -> str:
    return str(json.loads(key)) if key.startswith('"') else key


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)  # NaN and 1e999 are not valid JSON, though Python parses them
    except (ValueError, RecursionError):
        return text
    return value


def exit_code(job: Json, *, strict: bool) -> ExitCode:
    fine = {"success"} if strict else {"success", "warning"}
    return ExitCode.OK if job["status"] in fine else ExitCode.RUN_FAILED


def _print_started(answer: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    print(answer["job_id"])
    error_console().print(
        f"started; to see its progress: orchestrator jobs show {answer['job_id']}", markup=False
    )


def _follow(client: ApiClient, where: Context, job_id: str, *, as_json: bool) -> Json:
    from orchestrator_cli.progress.watch import follow as follow_job

    # With --json, keep standard output free for the JSON.
    job = follow_job(client, where.project_path(), job_id, error_console() if as_json else console())
    if as_json:
        print_json(job)
    if job["status"] == "warning":
        error_console().print(
            "note: a task with continue_on_failure failed; --strict treats that as a failure"
        )
    return job
