"""Named points at which a test can make a process die as if it were killed."""

import os

BEFORE_COMMIT = "before-commit"
BEFORE_PUBLISH = "after-commit-before-publish"
BEFORE_MARK = "after-publish-before-mark"
BEFORE_ACK = "after-effect-before-ack"
BEFORE_START = "between-claim-and-start"
BEFORE_RESULT = "task-done-before-result"

CRASH_POINTS = (BEFORE_COMMIT, BEFORE_PUBLISH, BEFORE_MARK, BEFORE_ACK, BEFORE_START, BEFORE_RESULT)
CRASH_EXIT_CODE = 86
_VARIABLE = "ORCHESTRATOR_CRASH_AT"


def reach(name: str) -> None:
    """Exit here without cleaning up if the environment says so; otherwise do nothing."""
    if os.environ.get(_VARIABLE) == name:
        os._exit(CRASH_EXIT_CODE)
