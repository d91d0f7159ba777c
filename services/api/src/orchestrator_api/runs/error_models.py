"""The first error of a run as it is shown."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output, example
from orchestrator_api.runs.first_error import FirstError
from orchestrator_api.runs.log_models import LogLineOut
from orchestrator_api.runs.models import VersionNote


class EarlierError(Output):
    """The last job of the same configuration that failed with the same error."""

    job_id: UUID
    run_id: UUID | None = Field(description="The run that it belonged to.")
    run_number: int | None
    orchestration: str | None = Field(description="The orchestration of that run.")
    finished_at: datetime | None
    count: int = Field(description="How many jobs failed with this error, among the last 200.")
    ended_by_version: int | None = Field(
        description="The version of the configuration that ran with success next, if it was another one."
    )


class RunErrorOut(Output):
    """An error, where it stands in the log, whether it happened before, and what has changed since."""

    job_id: UUID = Field(description="The job that failed.")
    number: int
    component: str
    configuration: str
    orchestration: str | None = Field(
        description="Where the task is: the orchestration, or one nested in it."
    )
    phase: str | None
    task_id: str | None
    task_name: str | None
    attempt: int
    error_kind: str
    message: str | None
    finished_at: datetime
    fingerprint: str = Field(
        description="The same for errors of this configuration that differ only in ids, times and numbers."
    )
    line: int | None = Field(
        description="The error's line in the job's log; null if it is not among the last 1,000."
    )
    log: list[LogLineOut] = Field(description="Some lines around it; without it, the last ones.")
    earlier: EarlierError | None
    version: int | None = Field(description="The version of the configuration that failed.")
    changed: VersionNote | None = Field(
        description="The configuration's current version, if it is another one than the one that failed."
    )


class FirstErrorOut(Output):
    """The first error of a run, and how many there are."""

    model_config = example(
        {
            "error": {
                "job_id": "0198f2a4-7f30-7a55-8c0e-5a2c9d41b7e6",
                "number": 61,
                "component": "sql-transformation",
                "configuration": "campaign-recipient",
                "orchestration": "campaigns",
                "phase": "Second transformation",
                "task_id": "sql-transformation/campaign-recipient",
                "task_name": "Campaign recipient",
                "attempt": 1,
                "error_kind": "user",
                "message": "column r.opted_in does not exist",
                "finished_at": "2026-11-30T04:36:52.902Z",
                "fingerprint": "9f1c2d7ab0e34c55",
                "line": 22,
                "log": [
                    {
                        "number": 22,
                        "at": "2026-11-30T04:36:52.874Z",
                        "attempt": 1,
                        "stream": "stderr",
                        "level": "error",
                        "text": "ERROR: column r.opted_in does not exist",
                        "is_cut": False,
                    }
                ],
                "earlier": {
                    "job_id": "0198de03-1b0c-7c11-9d7a-2f6e8b90c3d4",
                    "run_id": "0198de02-44aa-7b2d-8e19-6c0d1f3a5b7e",
                    "run_number": 34,
                    "orchestration": "campaigns",
                    "finished_at": "2026-11-26T04:36:40Z",
                    "count": 1,
                    "ended_by_version": 7,
                },
                "version": 11,
                "changed": {
                    "version": 12,
                    "saved_at": "2026-11-30T06:05:12Z",
                    "author": "jana@example.com",
                    "note": "opt_in, as the index calls it",
                },
            },
            "failed": 1,
        }
    )

    error: RunErrorOut | None = Field(description="Null if nothing has failed.")
    failed: int = Field(description="How many jobs of the run failed.")

    @staticmethod
    def of(found: FirstError | None) -> "FirstErrorOut":
        """The answer for this error."""
        if found is None:
            return FirstErrorOut(error=None, failed=0)
        failure = found.failure
        shown = RunErrorOut(
            job_id=failure.id,
            number=failure.number,
            component=failure.component,
            configuration=failure.configuration,
            orchestration=failure.orchestration,
            phase=failure.phase,
            task_id=failure.task_id,
            task_name=failure.task_name,
            attempt=failure.attempt,
            error_kind=failure.error_kind,
            message=failure.message,
            finished_at=failure.finished_at,
            fingerprint=found.fingerprint,
            line=found.line,
            log=[LogLineOut.model_validate(line) for line in found.log],
            earlier=_earlier(found),
            version=failure.version,
            changed=VersionNote.model_validate(found.changed) if found.changed else None,
        )
        return FirstErrorOut(error=shown, failed=failure.failed)


def _earlier(found: FirstError) -> EarlierError | None:
    if found.earlier is None:
        return None
    job = found.earlier.job
    return EarlierError(
        job_id=job.id,
        run_id=job.run_id,
        run_number=job.run_number,
        orchestration=job.orchestration,
        finished_at=job.finished_at,
        count=found.earlier.count,
        ended_by_version=found.earlier.ended_by_version,
    )
