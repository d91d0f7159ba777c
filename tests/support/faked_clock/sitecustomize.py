"""Found by its name on PYTHONPATH: under libfaketime 0.9.10 `time.sleep` fails with EINVAL."""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
