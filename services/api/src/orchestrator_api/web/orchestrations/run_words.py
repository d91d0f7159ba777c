"""What the dialog that runs an orchestration says before the run. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator_api.notifications.recipients import Recipients
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.queue.lanes import Ahead
from orchestrator_api.queue.words import Times, counted, listed
from orchestrator_api.triggers.rows import StoredTrigger

MOST_NAMED = 3
PARTIAL = "A run of only some tasks uses up no table updates."
LOCAL = "%Y-%m-%d %H:%M"


def busy(ahead: Ahead | None, now: datetime, zone: ZoneInfo) -> str:
    """`nightly-sales #411 is running, this one waits until about 07:21.`; empty if it would start at once."""
    if ahead is None:
        return ""
    waiting = _waiting(ahead)
    if ahead.expected_start is None:
        until = "until they have ended" if ahead.waiting else "until it has ended"
    else:
        said = Times(now, zone).about(ahead.expected_start)
        until = "only a moment" if said == "now" else f"until {said}"
    return f"{waiting}, this one waits {until}."


def _waiting(ahead: Ahead) -> str:
    waiting = f"{counted(ahead.waiting, 'run')} {'waits' if ahead.waiting == 1 else 'wait'}"
    if ahead.holder is None:
        return waiting
    running = (
        f"{ahead.holder.name} is {'being stopped' if ahead.holder.status == 'terminating' else 'running'}"
    )
    return f"{running} and {waiting}" if ahead.waiting else running


def told(recipients: Recipients, subscriptions: Collection[StoredSubscription]) -> tuple[str, str]:
    """Who is told how the run ends, and who is not although subscribed: `Only you: jana@example.com.`"""
    starters = sorted({each.address for event in recipients.events for each in event.recipients})
    others = list(dict.fromkeys(each.address for each in subscriptions if each.address not in starters))
    will = f"Only you: {listed(starters)}." if starters else "No one: your account has no e-mail address."
    return will, f"{_named(others)} will not." if others else ""


def _named(addresses: Sequence[str]) -> str:
    more = len(addresses) - MOST_NAMED
    if more <= 0:
        return listed(addresses)
    return f"{', '.join(addresses[:MOST_NAMED])} and {more} more"


def used_up(triggers: Collection[StoredTrigger]) -> str:
    """What a run of all active tasks does to the updates that triggers have counted."""
    ready = sum(each.tables_ready for each in triggers)
    if not ready:
        return ""
    return f"{counted(ready, 'counted table')} will be used up by this run."


def instant(text: str, zone: ZoneInfo) -> datetime:
    """What someone wrote as a point in time, `2026-11-30 06:20` in their zone; raises ValueError."""
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=zone) if found.tzinfo is None else found
