"""Keeps a service's environment out of /proc, where others could read it.

It imports nothing but the standard library, so that a service can call it before everything else.
"""

import ctypes
import os
import sys

HANDOVER = "ORCHESTRATOR_ENVIRONMENT_FD"
_NAMES = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"})
_PREFIXES = ("LC_", "LD_", "PYTHON", "MALLOC_", "GLIBC_", "FAKETIME", "COVERAGE_")
"""Variables that the interpreter reads before our code runs; none of them is secret."""
_PR_SET_DUMPABLE = 4


def hide_environment() -> None:
    """Re-execute this program, under the same process id, with its environment in memory only.

    The kernel shows for ever what a process was started with. Call this first: it returns in the new program.
    """
    if not hasattr(os, "memfd_create"):
        return  # not Linux: there is no /proc to hide from
    handed_over = os.environ.pop(HANDOVER, None)
    if handed_over is None:
        _begin_anew()
    else:
        _take_over(int(handed_over))
        forbid_looking_in()


def _begin_anew() -> None:
    content = b"".join(name + b"=" + value + b"\0" for name, value in os.environb.items())
    file = os.memfd_create("environment", 0)
    while content:
        content = content[os.write(file, content) :]
    kept = {name: value for name, value in os.environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    os.execve(  # noqa: S606  the very program that runs already
        sys.executable, [sys.executable, *sys.orig_argv[1:]], kept | {HANDOVER: str(file)}
    )


def _take_over(file: int) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(file, "rb") as stream:
        for entry in stream.read().split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if equals:
                os.environb[name] = value


def forbid_looking_in() -> None:
    """Forbid processes of the same user to trace this one or read its memory, environment or files."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
