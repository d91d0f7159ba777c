"""Named points at which a test can make the keeper die as if killed."""

import os

BEFORE_SPAWN = "keeper-before-spawn"
AFTER_SPAWN = "keeper-after-spawn-before-report"
BEFORE_END = "keeper-task-ended-before-report"

CRASH_POINTS = (BEFORE_SPAWN, AFTER_SPAWN, BEFORE_END)
_CRASH_EXIT_CODE = 86
_VARIABLE = "ORCHESTRATOR_CRASH_AT"


def reach(name: str) -> None:
    """Die here without any clean-up if the environment says so; otherwise do nothing."""
    if os.environ.get(_VARIABLE) == name:
        os._exit(_CRASH_EXIT_CODE)


def armed() -> dict[str, str]:
    """What the runner passes on to its keeper: nothing, unless a test has armed one of these points."""
    name = os.environ.get(_VARIABLE)
    return {_VARIABLE: name} if name in CRASH_POINTS else {}
