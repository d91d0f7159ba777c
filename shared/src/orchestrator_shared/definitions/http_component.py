"""The `http` section of a component: which requests start, follow and cancel a run at another service."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from orchestrator_shared.definitions.component_section import ComponentSection, Seconds

PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
PLAIN_NAMES = frozenset(
    {
        "attempt",
        "callback_url",
        "component",
        "configuration",
        "id",
        "job_id",
        "parameters",
        "previous_success",
        "project",
        "run_id",
        "scheduled_for",
        "start",
        "state",
    }
)
"""What a placeholder may begin with; `parameters`, `start` and `state` are followed by a path."""
CALLBACK_URL = "callback_url"
ALREADY = 409
"""The status of an answer to a start that is known already."""
DEEP_NAMES = frozenset({"parameters", "start", "state"})
ANSWER_NAMES = frozenset({"id", "start"})
"""Known only once the start was answered."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_PATH = re.compile(r"[^.\s]+(\.[^.\s]+){0,19}")


def _answer_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("expected keys joined by dots, as in data.items.0.id")
    return path


def _status_of_begun(status: int) -> int:
    if not (200 <= status <= 299 or status == ALREADY):
        raise ValueError(f"expected 200 to 299, or {ALREADY}")
    return status


AnswerPath = Annotated[str, Field(max_length=500), AfterValidator(_answer_path)]
"""`data.items.0.id`: keys and positions, joined by dots."""
Headers = dict[str, Annotated[str, Field(max_length=8000)]]


class HttpRequest(ComponentSection):
    """One request; every text in it may have placeholders."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str = Field(min_length=1, max_length=4000)
    headers: Headers = Field(default_factory=dict)
    body: Any = None
    """A string is sent as it is, everything else as JSON."""
    timeout_seconds: Seconds = Field(default=30, validation_alias="timeout", ge=1, le=3600)
    """For the whole exchange."""

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if not re.match(r"https?://[^/\s]|\{\{", self.url):
            raise ValueError("url: expected https://host/path, or a placeholder at its beginning")
        check_headers(self.headers)
        if self.body is not None and self.method == "GET":
            raise ValueError("body: a GET request has none")
        check_names([self.url, self.headers, self.body])
        return self


class HttpStart(HttpRequest):
    """The request that starts the run."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    expect: list[Annotated[int, AfterValidator(_status_of_begun)]] = Field(
        default_factory=list, max_length=20
    )
    """Status codes that mean "begun"; none: every 2xx. 409: the run is there already, named by the start."""
    idempotent: bool = False
    """The service answers a second request with the same Idempotency-Key without beginning twice."""
    give_up_after_seconds: Seconds = Field(default=120, validation_alias="give_up_after", ge=0, le=86_400)


class HttpPoll(HttpRequest):
    """How to ask for the run's state."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    every_seconds: Seconds = Field(default=5, validation_alias="every", ge=1, le=3600)
    state: AnswerPath
    """Where in the answer the state is."""
    progress: AnswerPath | None = None
    """Path of a progress message, logged whenever it changes."""
    give_up_after_seconds: Seconds = Field(default=600, validation_alias="give_up_after", ge=0, le=86_400)
    """How long to continue without one good answer."""


class HttpCallback(ComponentSection):
    """The service reports by itself, to the address that `start` handed over as {{ callback_url }}."""

    state: AnswerPath | None = None
    """Where in the report the state is; as in `poll` if it is not given."""
    progress: AnswerPath | None = None
    give_up_after_seconds: Seconds = Field(
        default=86_400, validation_alias="give_up_after", ge=1, le=30 * 86_400
    )
    """Without `poll`: how long to wait for a report of the end."""


class HttpCancel(HttpRequest):
    """The request that stops the run."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"


StateName = str | int | bool


class HttpStates(ComponentSection):
    """The service's own states, sorted by what they mean."""

    success: list[StateName] = Field(min_length=1, max_length=100)
    running: list[StateName] = Field(default_factory=list, max_length=100)
    error: list[StateName] = Field(default_factory=list, max_length=100)
    """States that mean an internal error: the service's fault."""
    user_error: list[StateName] = Field(default_factory=list, max_length=100)
    """States that mean a user error: the configuration's fault."""

    @model_validator(mode="after")
    def _are_distinct(self) -> Self:
        names = [state_text(name) for name in self.success + self.running + self.error + self.user_error]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"duplicate state {name!r}")
        return self


class HttpResult(ComponentSection):
    """Where in the last answer the outcome's parts are."""

    message: AnswerPath | None = None
    output_tables: AnswerPath | None = None
    state: AnswerPath | None = None
    """An object, kept for the next run of the configuration."""


class HttpComponent(ComponentSection):
    """Start, then poll or be called back; with neither the answer to the start is the outcome."""

    headers: Headers = Field(default_factory=dict)
    """Sent with every request."""
    start: HttpStart
    id: AnswerPath | None = None
    """Path of the run's id in the answer to the start."""
    poll: HttpPoll | None = None
    callback: HttpCallback | None = Field(default=None, exclude_if=lambda section: section is None)
    states: HttpStates | None = None
    result: HttpResult = Field(default_factory=HttpResult)
    cancel: HttpCancel | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_headers(self.headers)
        if (self.poll is None and self.callback is None) != (self.states is None):
            raise ValueError("states belong to poll or callback: write both or neither")
        names = first_names([self.start.url, self.start.headers, self.start.body])
        if unknown := ANSWER_NAMES & names:
            raise ValueError(
                f"start: {{{{ {min(unknown)} }}}} is not known until the start has been answered"
            )
        self._check_callback(names)
        if self.id is None and "id" in first_names(self._followers()):
            raise ValueError("id: give its path in the answer to the start, as in id: data.id")
        self._check_already()
        check_names(self.headers)
        if ANSWER_NAMES & first_names(self.headers):
            raise ValueError("headers: id and start are not known when the run is started")
        return self

    @property
    def is_followed(self) -> bool:
        """Whether the answer to the start is only the beginning."""
        return self.poll is not None or self.callback is not None

    def needed_of_start(self) -> set[str]:
        """The paths into the start's answer that later requests put in; an empty one is all of it."""
        names = placeholders(self._followers())
        return {path for first, _, path in (name.partition(".") for name in names) if first == "start"}

    def _check_callback(self, names_in_start: set[str]) -> None:
        hands_over = CALLBACK_URL in names_in_start
        if self.callback is not None and not hands_over:
            raise ValueError(f"callback: the start has to hand over the address: {{{{ {CALLBACK_URL} }}}}")
        if self.callback is None and hands_over:
            raise ValueError(f"start: {{{{ {CALLBACK_URL} }}}} needs the section callback")
        if self.callback is not None and self.callback.state is None and self.poll is None:
            raise ValueError("callback: give the path of the state in the report, as in state: data.status")
        if CALLBACK_URL in first_names([self.headers, self._followers()]):
            raise ValueError(f"{{{{ {CALLBACK_URL} }}}} can only be used in the start")

    def _check_already(self) -> None:
        names_it = ANSWER_NAMES.isdisjoint(first_names(self._followers())) and self.id is None
        if ALREADY in self.start.expect and not (names_it and self.is_followed):
            raise ValueError(
                f"start: expect: an answer {ALREADY} has no id: name the run in start, poll and cancel, "
                "as in {{ job_id }}-{{ attempt }}, and leave out id"
            )

    def _followers(self) -> list[Any]:
        requests = [request for request in (self.poll, self.cancel) if request is not None]
        return [[request.url, request.headers, request.body] for request in requests]


def state_text(value: object) -> str:
    """A state as text: 10 and "10" are the same."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def placeholders(value: Any) -> Iterator[str]:
    """The name in every placeholder of a text, a list or an object."""
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from placeholders(item)
    elif isinstance(value, list):
        for item in value:
            yield from placeholders(item)


def first_names(value: Any) -> set[str]:
    """The first names of the placeholders."""
    return {name.partition(".")[0] for name in placeholders(value)}


def check_names(value: Any) -> None:
    """Raises ValueError naming a placeholder that has no meaning anywhere."""
    for name in placeholders(value):
        first, _, path = name.partition(".")
        if first not in PLAIN_NAMES or (path and first not in DEEP_NAMES):
            known = ", ".join(sorted(PLAIN_NAMES - DEEP_NAMES))
            raise ValueError(
                f"{{{{ {name[:80]} }}}} is not known: write parameters.x, state.x, start.x, or one of {known}"
            )


def check_headers(headers: Headers) -> None:
    """Raises ValueError naming a header that cannot be sent or that the author may not set."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers: {name[:80]!r} is not a valid header name")
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"headers: {name} is set by the orchestrator: leave it out")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise ValueError(f"headers: {name}: a line break or control character cannot be sent")
