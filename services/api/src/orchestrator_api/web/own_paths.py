"""Where a person may be sent after signing in: to pages of this api only."""

import re

HOME = "/"
MAX_CHARACTERS = 2000
_OWN = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""No browser takes it for another host: one leading slash, no backslash, space or control character."""


def own_path(text: str | None, prefix: str = "") -> str:
    """The path if it is one of ours, below the prefix; otherwise the home page."""
    if text is None or len(text) > MAX_CHARACTERS or not _OWN.fullmatch(text):
        return prefix + HOME
    return text if text.startswith(f"{prefix}/") else prefix + HOME
