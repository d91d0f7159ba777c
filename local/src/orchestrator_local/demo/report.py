"""The final report: four outcomes, the result, and what to look at next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.context import PROJECT_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE
from orchestrator_cli.output import clock_time, counted, plain, span
from orchestrator_cli.progress.tree import title_of
from orchestrator_local.demo.bars import bar_lines, have_overlap, phases_are_apart
from orchestrator_local.demo.outcomes import Check, Evidence, Mail, ObservedRun, lateness, seconds_between
from orchestrator_local.demo.scenario import BY_EVENT, BY_HAND, BY_TIME, ON_PURPOSE, RESULT_TABLE

INDENT = "   "


def report(evidence: Evidence) -> list[Text]:
    """All parts, separated by empty lines."""
    parts = [
        by_hand(evidence.runs[BY_HAND]),
        by_event(evidence.runs[BY_EVENT], evidence.trigger),
        by_time(evidence.runs[BY_TIME]),
        on_purpose(evidence.runs[ON_PURPOSE], evidence.mail, evidence.delivery),
        result(evidence.columns, evidence.rows),
    ]
    return [line for part in parts for line in (*part, Text())]


def by_hand(run: ObservedRun) -> list[Text]:
    spans = run.spans
    took = span(run.job.get("started_at"), run.job.get("finished_at"))
    lines = [
        _heading("1  By hand", f"{_title(run)} ended with {run.status}{f' after {took}' if took else ''}")
    ]
    lines += [Text(INDENT).append_text(line) for line in bar_lines(spans)]
    first = [each for each in spans if each.phase == spans[0].phase]
    if have_overlap(first) and phases_are_apart(spans):
        lines.append(_note("The extractors ran at the same time; each phase waited for the one before it."))
    return lines


def by_event(run: ObservedRun, explanation: Json) -> list[Text]:
    fire = explanation.get("last_fire") or {}
    tables: list[Json] = list(fire.get("tables") or [])
    if not run.is_known or not tables:
        return [_heading("2  By event", f"{BY_EVENT} was not started")]
    count = len(explanation.get("tables") or tables)
    were = counted(count, "table was", "tables were")
    said = f"{_title(run)} started because {len(tables)} of {were} updated"
    lines = [_heading("2  By event", f"{said}, and ended with {run.status}")]
    width = max(len(_table_name(table)) for table in tables)
    for table in sorted(tables, key=lambda each: str(each.get("heard_at"))):
        heard = clock_time(table.get("heard_at"), fraction=True)
        lines.append(Text(f"{INDENT}{_table_name(table):<{width}}  updated  {heard}"))
    last = max(str(table.get("heard_at")) for table in tables)
    waited = seconds_between(last, run.job.get("started_at"))
    started = clock_time(run.job.get("started_at"), fraction=True)
    after = f"  {waited:.2f} s after the last of them" if waited is not None else ""
    lines.append(Text(f"{INDENT}{'the run':<{width}}  started  {started}{after}"))
    return lines


def by_time(run: ObservedRun) -> list[Text]:
    late = lateness(run.job)
    if late is None:
        return [_heading("3  By time", f"{BY_TIME} did not fire")]
    due = clock_time(run.job.get("scheduled_for"))
    said = f"{_title(run)} was due at {due} UTC and started {late:.2f} s later; it ended with {run.status}"
    return [_heading("3  By time", said)]


def on_purpose(run: ObservedRun, mail: Mail | None, delivery: Json) -> list[Text]:
    failure = run.first_failure()
    lines = [_heading("4  Failing on purpose", f"{_title(run)} ended with {run.status}")]
    reason = str(failure.get("message") or run.job.get("message") or "")
    lines += [Text(f"{INDENT}{plain(line)}", style="red") for line in reason.splitlines()[:3]]
    if mail:
        lines.append(Text.assemble(f"{INDENT}Mail to {plain(mail.to)}: ", (plain(mail.subject), "bold")))
        lines += [Text(f"{INDENT}  | {plain(line)}", style="dim") for line in mail.lines]
        lines.append(
            _note(
                "A run by hand tells the person who started it; one by time or event tells the subscribers."
            )
        )
    elif delivery:
        lines.append(_note(f"Mail to {delivery.get('recipient')}: {delivery.get('status')}"))
    else:
        lines.append(Text(f"{INDENT}No mail arrived.", style="red"))
    return lines


def result(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Text]:
    if not rows:
        return []
    titles = [column.replace("_", " ") for column in columns]
    widths = [max(len(cell) for cell in column) for column in zip(titles, *rows, strict=True)]
    lines = [_heading("The result", f"which weather makes departures late ({RESULT_TABLE}, the first rows)")]
    lines.append(Text(INDENT + _aligned(titles, widths), style="bold"))
    return lines + [Text(INDENT + _aligned(row, widths)) for row in rows]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)])


@dataclass(frozen=True)
class Places:
    """Where to go from here."""

    url: str
    token: str
    definitions: str
    command: str
    end: str
    mails: str = ""
    sign_in: str = ""
    """The link with which one chooses a password."""
    project: str = ""
    is_remote: bool = False
    """Not the local stack, whose processes can be killed."""
    state_dir_option: str = ""
    """` --state-dir …` where commands do not find the local stack by themselves."""


def next_steps(places: Places) -> list[Text]:
    rows = [
        ("Sign in", f"{places.sign_in}   (choose a password; works once)" if places.sign_in else ""),
        ("Page", f"{places.url}/"),
        ("API", f"{places.url}/docs"),
        ("Token", places.token),
        *_way_there(places),
        ("Edit", places.definitions),
        ("", f"{places.command} apply -f {places.definitions}"),
        ("", f"{places.command} run {ON_PURPOSE} --follow   (once you have fixed `dep_dealy` in the file)"),
        ("Try", f"{places.command} run {BY_HAND} --follow"),
        ("", f"{places.command} jobs list"),
        ("", f"{places.command} triggers explain {BY_EVENT}"),
        ("", f"{places.command} tables publish out.c-nyc.delays_by_hour"),
        ("", "" if places.is_remote else f"{places.command} demo --crash{places.state_dir_option}"),
        ("Mails", places.mails),
        ("Stop it", places.end),
    ]
    lines = [_heading("Next", "the stack keeps running")]
    lines += [Text.assemble(INDENT, (f"{name:<8}", "bold"), text) for name, text in rows if text]
    return [
        *lines,
        _note(f"{BY_TIME} is paused so that it does not run every minute from now on; apply resumes it."),
    ]


def _way_there(places: Places) -> list[tuple[str, str]]:
    if places.state_dir_option:
        return [("First", f'eval "$({places.command} dev context{places.state_dir_option})"')]
    if not places.is_remote:
        return []
    return [
        ("First", f"export {URL_VARIABLE}={places.url} {PROJECT_VARIABLE}={places.project}"),
        ("", f"export {TOKEN_VARIABLE}=…   (the token above; the commands below need these)"),
    ]


def verdict(found: Iterable[Check]) -> list[Text]:
    """One line if every check holds, otherwise the checks that failed."""
    failed = [check for check in found if not check.holds]
    if not failed:
        return [Text("Every outcome was the expected one.", style="bold green")]
    return [
        Text("Not everything went as expected:", style="bold red"),
        *(Text(f"{INDENT}✘ {plain(check.text)}", style="red") for check in failed),
    ]


def _title(run: ObservedRun) -> str:
    return title_of(run.job) if run.is_known else "the run"


def _table_name(table: Json) -> str:
    return str(table.get("table") or table.get("name"))


def _heading(name: str, said: str) -> Text:
    return Text.assemble((name, "bold cyan"), "  ", plain(said))


def _note(text: str) -> Text:
    return Text(f"{INDENT}{plain(text)}", style="dim")
