"""What the dialogs of schedules and of triggers share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.edits import Target
from orchestrator_api.http.models import Input, Slug
from orchestrator_api.http.refusals import LastChange, PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.again import NOT_OF_THE_FORM
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError


class Named(Input):
    """The name of a new schedule or trigger."""

    name: Slug


def free_name(taken: list[str]) -> str:
    """`main`, `second`, then numbered."""
    names = ["main", "second", *(f"number-{number}" for number in range(3, len(taken) + 4))]
    return next(name for name in names if name not in taken)


def topics(orchestration: str) -> tuple[str, str]:
    """What shows the starts of an orchestration."""
    return f"orchestration:{orchestration}", f"starts:{orchestration}"


def orchestration_of(request: Request) -> str:
    """The id in the address."""
    found: str = request.path_params["orchestration"]
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What is said with a form that is shown again."""

    errors: Fields = field(default_factory=Fields)
    change: LastChange | None = None
    is_overtaken: bool = False
    """Someone else was faster."""

    @property
    def status(self) -> int:
        """Of the answer."""
        return 422 if self.errors else 409 if self.is_overtaken else 200


@dataclass(frozen=True, slots=True)
class StartDialog:
    """The dialog of a schedule or of a trigger."""

    kind: str
    places: Mapping[str, str]
    """The field of the form of each field of the API that is called differently there."""
    save: Callable[[Request, Session, str | None, Fields], Awaitable[str]]
    """Saves it and says so; raises UserError with what is wrong."""
    show: Callable[[Request, Session, Frame, Fields, str | None, Said], Awaitable[Response]]
    """Answers with the form, of the schedule or trigger with this name, or a new one."""

    async def send(self, request: Request, fields: Fields, name: str | None) -> Response:
        """Save what the form asks for, or show it again with what is wrong."""
        try:
            async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as opened:
                session, frame = opened
                text = await self.save(request, session, name, fields)
                return answers.done(request, frame, fields, text, *topics(orchestration_of(request)))
        except UserError as error:
            shown, said = self._refused(error, fields, is_new=name is None)
        return await self.show_again(request, shown, name, said)

    async def show_again(self, request: Request, fields: Fields, name: str | None, said: Said) -> Response:
        """The form with other values, to whoever may send it."""
        async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await self.show(request, session, frame, fields, name, said)

    def _refused(self, error: UserError, fields: Fields, *, is_new: bool) -> tuple[Fields, Said]:
        """The fields of the form to show again, and what to say; raises what no field can mend.

        If someone else was faster, the form has the newer tag: saving once more puts one's own on top.
        """
        if isinstance(error, NOT_OF_THE_FORM):
            raise error
        if not isinstance(error, PreconditionFailed):
            return fields, Said(forms.refused(error, self.places))
        if is_new:
            taken = f"there is a {self.kind} {fields['name']!r} already: choose another name"
            return fields, Said(Fields({"name": taken}))
        return Fields(fields | {"etag": error.etag or ""}), Said(change=error.change, is_overtaken=True)

    def answer(
        self,
        request: Request,
        frame: Frame,
        fields: Fields,
        name: str | None,
        said: Said,
        *,
        of: str,
        size: str,
        **values: Any,
    ) -> Response:
        """The dialog itself; `of` is the orchestration's name."""
        shown = {
            "orchestration": orchestration_of(request),
            self.kind: name,
            "values": fields,
            "errors": said.errors,
            "change": said.change,
            "is_overtaken": said.is_overtaken,
            **values,
        }
        return pages.dialog(
            request,
            f"{self.kind}s/edit",
            said.status,
            title=f"{self.kind.capitalize()} {name} of {of}" if name else f"New {self.kind} for {of}",
            frame=frame,
            back=urls_of(request)("orchestration", **orchestration_parts(request)),
            size=size,
            **shown,
        )


async def checked_place(
    session: Session, name: str | None, fields: Fields, target: Callable[[str], Awaitable[Target]]
) -> tuple[str, bool]:
    """The name to save under, locked by `target`, and whether it is there; raises PreconditionFailed."""
    place = name or forms.checked(Named, {"name": fields["name"].strip()}).name
    found = await target(place)
    await edits.check_save(session, Condition.seen(fields["etag"] or None), found)
    return place, found.etag is not None
