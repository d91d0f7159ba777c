"""`python -m tests.benchmarks.bare_web FILE PORT`: a bare template over the rows of the same statements.

Like `bare_api`, but what all statements return stands in one table, escaped, as the least that a page can do.
"""

import sys
from collections.abc import Sequence
from typing import Any

from fastapi import Response
from jinja2 import Environment
from tests.benchmarks.bare_api import serve

PAGE = Environment(autoescape=True).from_string("""<!doctype html><title>bare</title>
{% for rows in found %}<table>
{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}""")


def page(found: Sequence[Sequence[Any]]) -> Response:
    """Everything that was read."""
    return Response(PAGE.render(found=found), media_type="text/html")


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], page)
