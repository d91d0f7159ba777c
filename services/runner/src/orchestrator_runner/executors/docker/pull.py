"""Follows the pull of an image: what the engine reports, in lines that people can read."""

import json
from typing import Any

_DONE = frozenset({"Already exists", "Pull complete"})
_LOADED = _DONE | {"Download complete", "Verifying Checksum", "Extracting"}
_MEGABYTE = 1024 * 1024


class PullFailed(Exception):
    """The engine cannot get the image; the text is its own."""


class PullProgress:
    """The state of all layers, from the reports so far."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._bytes: dict[str, tuple[int, int]] = {}
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the answer; raises PullFailed."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            report: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        if "error" in report:
            raise PullFailed(str(report["error"])[:1000])
        layer, status = report.get("id"), report.get("status")
        if not layer or not status or status.startswith("Pulling from"):
            return
        self._states[layer] = status
        detail = report.get("progressDetail") or {}
        if status == "Downloading" and "total" in detail:
            self._bytes[layer] = (int(detail.get("current", 0)), int(detail["total"]))
        elif status in _LOADED and layer in self._bytes:
            self._bytes[layer] = (self._bytes[layer][1],) * 2

    def text(self) -> str:
        """As in `2 of 5 layers, 40 of 130 MB`."""
        if not self._states:
            return "waiting for the registry"
        done = sum(state in _DONE for state in self._states.values())
        layers = f"{done} of {len(self._states)} layers"
        if not self._bytes:
            return layers
        current, total = (sum(sizes) // _MEGABYTE for sizes in zip(*self._bytes.values(), strict=True))
        return f"{layers}, {current} of {total} MB"
