"""The routing table: every message, the queues of every service, and what each is bound to."""

from dataclasses import dataclass

from orchestrator_shared.contracts import commands, events
from orchestrator_shared.contracts.message import Message

MESSAGES: dict[str, type[Message]] = {
    model.type: model
    for model in (
        commands.RunRequested,
        commands.BackfillRequested,
        commands.TerminateRequested,
        events.TableUpdated,
        events.RunCreated,
        events.RunStarted,
        events.RunFinished,
        events.JobsChanged,
        events.ReadinessChanged,
        events.RunnersWake,
        events.CallbackReceived,
        events.ScheduleChanged,
        events.TriggerChanged,
        events.ScheduleMissed,
        events.TriggerDeadlineMissed,
        events.PersonMailRequested,
        events.TestMailRequested,
    )
}


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue and the messages bound to it; a feed is an exclusive queue, one per replica."""

    name: str
    messages: tuple[type[Message], ...]
    feed: bool = False


RUNNER_COMMANDS = Queue(
    "runner.commands",
    (commands.RunRequested, commands.BackfillRequested, commands.TerminateRequested),
)
RUNNER_FEED = Queue("runner.feed", (events.RunnersWake, events.CallbackReceived), feed=True)
SCHEDULER_CHANGES = Queue("scheduler.changes", (events.ScheduleChanged,))
TRIGGER_WATCHER_UPDATES = Queue("trigger-watcher.updates", (events.TableUpdated,))
TRIGGER_WATCHER_RUNS = Queue(
    "trigger-watcher.runs", (events.RunStarted, events.RunFinished, events.TriggerChanged)
)
NOTIFIER_FACTS = Queue(
    "notifier.facts",
    (
        events.RunStarted,
        events.RunFinished,
        events.ScheduleMissed,
        events.TriggerDeadlineMissed,
        events.PersonMailRequested,
        events.TestMailRequested,
    ),
)
API_FEED = Queue(
    "api.feed",
    (
        events.JobsChanged,
        events.RunCreated,
        events.RunStarted,
        events.RunFinished,
        events.ReadinessChanged,
    ),
    feed=True,
)

QUEUES: tuple[Queue, ...] = (
    RUNNER_COMMANDS,
    RUNNER_FEED,
    SCHEDULER_CHANGES,
    TRIGGER_WATCHER_UPDATES,
    TRIGGER_WATCHER_RUNS,
    NOTIFIER_FACTS,
    API_FEED,
)
