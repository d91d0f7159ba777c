"""One job id means one job: finds requests that repeat a job, and requests that reuse another job's id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from orchestrator_shared.contracts.commands import RunRequested

Owner = tuple[str, str, str]
"""Project, component, configuration."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that becomes a row.

    `is_refused`: its id was taken, so it got another one and ends at once.
    """

    request: RunRequested
    is_refused: bool = False


def owner_of(request: RunRequested) -> Owner:
    """The configuration whose job this request asks for."""
    return (request.project, request.component, request.configuration)


def id_of_refusal(request: RunRequested) -> UUID:
    """The id of the job that records the clash; the same however often the request is delivered."""
    return uuid5(request.job_id, "/".join(owner_of(request)))


def each_once(received: Iterable[RunRequested]) -> list[RunRequested]:
    """Drop repetitions within a batch."""
    return list({(request.job_id, owner_of(request)): request for request in received}.values())


def unknown(requests: Iterable[RunRequested], known: Mapping[UUID, Owner]) -> list[NewRequest]:
    """The requests that have no row yet.

    Our services create ids that cannot collide, so a clash is a forgery.
    """
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
