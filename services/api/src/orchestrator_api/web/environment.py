"""The templates' environment: escaped, strict, and with the words and shapes that all pages use."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from orchestrator_api.web import words
from orchestrator_api.web.statuses import STATUSES
from orchestrator_api.web.strips import strip_of


def marked(text: str) -> Markup:
    """Text in which what stands between backquotes is code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


ENVIRONMENT = Environment(
    loader=PackageLoader("orchestrator_api.web", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "duration": words.duration,
    "number": words.number,
    "utc": words.utc,
    "marked": marked,
    "combined": lambda one, other: {**one, **other},
    "sentence": words.sentence,
    "capitalize_first": lambda text: text[:1].upper() + text[1:],
    "iso": lambda at: at.isoformat().replace("+00:00", "Z"),
}
ENVIRONMENT.globals |= {"STATUSES": STATUSES, "strip_of": strip_of, "counted": words.counted}
