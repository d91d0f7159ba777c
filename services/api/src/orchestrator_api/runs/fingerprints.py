"""Tells whether two errors are the same one: their messages, but for what differs from run to run."""

import hashlib
import re
from functools import lru_cache

_REPLACED = (
    (re.compile(r"\x1b\[[0-9;]{0,20}m"), ""),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\b"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]{1,40}\b"), "<id>"),
    (re.compile(r"\b(?=[a-fA-F]{0,64}\d)[0-9a-fA-F]{12,64}\b"), "<id>"),
    # Digits after a letter belong to a name; what a program exited with is the error itself.
    (re.compile(r"(?<![\w.])(?<!exited with )\d[\d.,_]*"), "<number>"),
    (re.compile(r"\s+"), " "),
)


def normalised(message: str) -> str:
    """The message without ids, times and numbers."""
    for pattern, replacement in _REPLACED:
        message = pattern.sub(replacement, message)
    return message.strip()


@lru_cache(maxsize=512)
def fingerprint(kind: str, message: str | None) -> str:
    """The same for errors that are the same; errors of different configurations are not compared."""
    text = f"{kind}\n{normalised(message or '')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
