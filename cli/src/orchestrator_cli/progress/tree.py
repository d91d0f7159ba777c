"""A run as a tree of phases and tasks, and its changes as lines where there is no terminal."""

from datetime import UTC, datetime

from rich.text import Text
from rich.tree import Tree

from orchestrator_cli.client import Json
from orchestrator_cli.output import plain, span, status_text

MARKS = {
    "success": "✔",
    "warning": "!",
    "error": "✘",
    "terminated": "✘",
    "cancelled": "✘",
    "processing": "▶",
    "terminating": "▶",
    "skipped": "-",
}
FINAL = frozenset({"success", "warning", "error", "cancelled", "terminated"})


def is_final(job: Json) -> bool:
    """Includes requests that were skipped or merged into another run."""
    return job.get("status") in FINAL | {"merged", "skipped"}


def title_of(job: Json) -> str:
    number = f" #{job['number']}" if job.get("number") and job.get("component") == "orchestrator" else ""
    prefix = "" if job.get("component") == "orchestrator" else f"{job.get('component')}/"
    return f"{prefix}{job.get('configuration')}{number}"


def run_tree(job: Json, phases: list[Json], *, now: datetime | None = None) -> Tree:
    """The whole run; `now` is used for the elapsed time of running tasks."""
    now = now or datetime.now(UTC)
    tree = Tree(_line(title_of(job), str(job["status"]), job, now), guide_style="dim")
    for phase in phases:
        heading = Text(plain(str(phase["name"])), style="bold" if phase.get("started_at") else "dim")
        took = span(phase.get("started_at"), phase.get("finished_at"), now=now)
        branch = tree.add(heading.append(f"  {took}" if took else "", style="dim"))
        for task in phase["tasks"]:
            branch.add(_line(str(task["id"]), status_of(task), task.get("job") or {}, now))
    return tree


def status_of(task: Json) -> str:
    """The status shown for a task: its job's, if it has one."""
    job = task.get("job")
    return str(job["status"] if job and task.get("status") in (None, "started") else task.get("status"))


def _line(name: str, status: str, job: Json, now: datetime) -> Text:
    shown = status_text(status)
    text = Text.assemble((f"{MARKS.get(status, '·')} ", shown.style), f"{plain(name)}  ", shown)
    if took := span(job.get("started_at"), job.get("finished_at"), now=now):
        text.append(f"  {took}", style="dim")
    if reason := explanation(job, status):
        text.append(f"  {plain(reason)}", style=shown.style if status in FINAL else "dim")
    return text


def explanation(job: Json, status: str) -> str:
    """Why it waits, or its result, on one line."""
    waiting = job.get("waiting")
    if status in {"waiting", "created"} and isinstance(waiting, dict):
        return str(waiting.get("detail") or waiting.get("reason") or "").replace("_", " ")
    message = str(job.get("message") or "").strip()
    attempt = job.get("attempt") or 0
    again = f"(attempt {attempt}) " if attempt > 1 else ""
    return (again + (message.splitlines()[0] if message else "")).rstrip()


def plain_lines(seen: dict[str, str], job: Json, phases: list[Json]) -> list[str]:
    """What changed since the last call, one line each; `seen` remembers what was printed."""
    lines = []
    for phase in phases:
        for task in phase["tasks"]:
            lines += _changed(seen, f"{phase['name']} / {task['id']}", status_of(task), task.get("job") or {})
    return lines + _changed(seen, title_of(job), str(job["status"]), job)


def _changed(seen: dict[str, str], name: str, status: str, job: Json) -> list[str]:
    key = f"{status} {job.get('attempt') or 0}" if status == "processing" else status
    if seen.get(name) == key or status == "pending":
        return []
    seen[name] = key
    took = span(job.get("started_at"), job.get("finished_at")) if status in FINAL else ""
    parts = [status.replace("_", " "), f"after {took}" if took else "", explanation(job, status)]
    return [f"{plain(name)}: {plain('  '.join(part for part in parts if part))}"]
