"""One job id is one job: which requests repeat one, and which come with the id of another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from orchestrator_shared.contracts.commands import RunRequested

Owner = tuple[str, str, str]
"""Project, component, configuration."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that becomes a row; `is_refused`: its id was taken, so it got another one and only ends."""

    request: RunRequested
    is_refused: bool = False


def owner_of(request: RunRequested) -> Owner:
    """Whose job it asks for."""
    return (request.project, request.component, request.configuration)


def id_of_refusal(request: RunRequested) -> UUID:
    """The job that records that the request's id was taken; the same however often it is heard."""
    return uuid5(request.job_id, "/".join(owner_of(request)))


def each_once(heard: Iterable[RunRequested]) -> list[RunRequested]:
    """Repetitions within a batch left out."""
    return list({(request.job_id, owner_of(request)): request for request in heard}.values())


def unknown(requests: Iterable[RunRequested], known: Mapping[UUID, Owner]) -> list[NewRequest]:
    """Those of which there is no row yet; our services make ids that cannot meet, so a clash is a forgery."""
    owners = dict(known)
    new = []
    for request in requests:
        owner = owners.setdefault(request.job_id, owner_of(request))
        if owner != owner_of(request):
            refusal = id_of_refusal(request)
            if refusal not in owners:
                owners[refusal] = owner_of(request)
                new.append(NewRequest(request.model_copy(update={"job_id": refusal}), is_refused=True))
        elif request.job_id not in known:
            new.append(NewRequest(request))
    return new
