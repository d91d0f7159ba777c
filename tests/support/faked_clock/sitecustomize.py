"""Found by its name on PYTHONPATH: under libfaketime 0.9.10 `time.sleep` fails (clock_nanosleep: EINVAL)."""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = sleep
