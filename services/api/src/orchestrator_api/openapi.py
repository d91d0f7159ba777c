"""`python -m orchestrator_api.openapi FILE` writes the API description; without a file it prints it."""

import json
import sys
from functools import cache
from pathlib import Path

from orchestrator_api.app import create_app


@cache  # it takes half a second, and only the code decides what it says
def description() -> str:
    """The OpenAPI document, as stored in docs/contracts/openapi.json."""
    return json.dumps(create_app(None).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document to the file, or print it."""
    if arguments:
        Path(arguments[0]).write_text(description(), encoding="utf-8")
    else:
        sys.stdout.write(description())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
