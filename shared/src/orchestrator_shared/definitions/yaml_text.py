"""Definitions as YAML text that reads back as the same values, and shows nothing that it is not."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from orchestrator_shared.definitions.yaml_nodes import plain_value

_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control and text-direction characters: an editor or terminal would not show what is there."""
_LINE_BREAKS = "\r\x85\u2028\u2029\ufeff"


class _Dumper(yaml.SafeDumper):
    """Quotes strings that our reader would otherwise take for a number or a word like `null`."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = None if isinstance(plain_value(text), str) else "'"
        if any(character in _LINE_BREAKS for character in text):
            style = '"'  # other styles fold them into spaces
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(documents: Sequence[Mapping[str, Any]], *, ascii_only: bool = False) -> str:
    """The documents as one YAML text, in their original order."""
    return "".join(f"---\n{_document(document, ascii_only=ascii_only)}" for document in documents)


def _document(document: Mapping[str, Any], *, ascii_only: bool) -> str:
    style: dict[str, Any] = {"sort_keys": False, "allow_unicode": not ascii_only, "width": 100}
    text: str = yaml.dump(dict(document), Dumper=_Dumper, **style)
    return text if ascii_only or not _HARMFUL.search(text) else _document(document, ascii_only=True)
