"""Refuses to change what is no longer as the caller has seen it, and says whose change that was."""

from dataclasses import dataclass

from orchestrator_api.access import audit
from orchestrator_api.http.conditional import IF_MATCH, IF_NONE_MATCH, Condition, Verdict
from orchestrator_api.http.refusals import LastChange, PreconditionFailed, PreconditionRequired
from orchestrator_api.http.session import Session
from orchestrator_shared.clock import stamp

RELOAD = "reload it and apply your change again"


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about to change, locked until its transaction ends."""

    shown: str
    """How people call it, such as `this schedule`."""
    what: str
    """The first part of the actions in its audit records, such as `schedule`."""
    subject: str
    """The subject of its audit records."""
    etag: str | None
    """None if it does not exist."""
    version: int | None = None


async def check_save(session: Session, condition: Condition, target: Target) -> None:
    """Refuse to create or change the target unless the condition is met."""
    verdict = condition.verdict(target.etag)
    if verdict is Verdict.MET:
        return
    if verdict is Verdict.MISSING:
        raise PreconditionRequired(
            f"you would change {target.shown}: send the etag that you have read, so that you do not "
            "overwrite a change that you have not seen, or * to overwrite whatever is there",
            field=IF_MATCH,
        )
    change = await audit.last_change(session.connection, session.project or None, target.what, target.subject)
    field = IF_NONE_MATCH if verdict is Verdict.EXISTS else IF_MATCH
    raise PreconditionFailed(_explain(verdict, target, change), field=field, etag=target.etag, change=change)


async def check(session: Session, condition: Condition, target: Target) -> None:
    """Refuse to change or delete the target unless the condition is met.

    If it does not exist, the caller gets the same answer as for anything that does not exist.
    """
    if target.etag is not None:
        await check_save(session, condition, target)


def _explain(verdict: Verdict, target: Target, change: LastChange | None) -> str:
    if verdict is Verdict.WEAK:
        return (
            "a weak tag (W/…) does not match: send the `etag` of the body; a proxy that compresses answers "
            "may have weakened the header"
        )
    if verdict is Verdict.GONE:
        return f"{_told(target, change)}: to create it again, leave out {IF_MATCH}"
    if verdict is Verdict.EXISTS:
        return f"{target.shown} already exists: load it before you change it"
    return f"{_told(target, change)}, after you read it: {RELOAD}"


def _told(target: Target, change: LastChange | None) -> str:
    if target.etag is None and (change is None or change.how not in ("deleted", "removed")):
        return f"{target.shown} does not exist"
    if change is None:
        return f"someone changed {target.shown}"
    if target.version is not None and change.how == "changed":
        return f"{change.by} saved version {target.version} at {stamp(change.at)}"
    return f"{change.by} {change.how} {target.shown} at {stamp(change.at)}"
