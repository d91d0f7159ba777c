"""Why a run failed, for `orchestrator jobs show`."""

from orchestrator_cli.client import ApiClient, Json, Refused
from orchestrator_cli.context import Context
from orchestrator_cli.output import day_and_time

FAILED = ("error", "warning")


def first_error(client: ApiClient, where: Context, job: Json) -> Json | None:
    """The first error of a job; None also if the server does not tell, or not to this token."""
    if job.get("status") not in FAILED:
        return None
    try:
        found = client.get(where.project_path(f"jobs/{job['id']}/first-error"))
    except Refused:
        return None
    error = found.get("error")
    return error if isinstance(error, dict) else None


def error_lines(error: Json | None) -> list[tuple[str, str]]:
    """Label and value of what is known about an error."""
    if error is None:
        return []
    place = f", line {error['line']} of the log of {error['job_id']}" if error.get("line") else ""
    lines = [("first error", f"{error.get('task_id') or error['configuration']}{place}")]
    if error.get("message"):
        lines.append(("", str(error["message"])))
    if earlier := error.get("earlier"):
        lines.append(("same error as", _earlier(earlier)))
    if changed := error.get("changed"):
        note = f": {changed['note']}" if changed.get("note") else ""
        saved = f"{changed['author']}, {day_and_time(changed['saved_at'])}"
        lines.append(
            ("changed since", f"version {error['version']} is now {changed['version']} ({saved}){note}")
        )
    return lines


def _earlier(earlier: Json) -> str:
    run = (
        f"{earlier['orchestration']} #{earlier['run_number']}" if earlier.get("run_id") else earlier["job_id"]
    )
    version = earlier.get("ended_by_version")
    ended = f"; version {version} ended it" if version else ""
    return f"{run}, {day_and_time(earlier['finished_at'])}{ended}"
