"""Takes a claimed job to its result: gathers what it needs, runs it, and decides what its end means."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from orchestrator_runner.executors.encodings import secrets_of_environment
from orchestrator_runner.executors.measured import measured, start_counting
from orchestrator_runner.executors.port import (
    LOG_SEQ,
    TOKEN,
    Adopted,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    ExecutionRefused,
    Executor,
    Outcome,
)
from orchestrator_runner.logs.capture import LogCapture, LogLimits
from orchestrator_runner.logs.store import LogStore
from orchestrator_runner.queue.definitions import Loaded
from orchestrator_runner.queue.handle_store import HandleStore
from orchestrator_runner.queue.slots import Execute
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending, after_failure, after_loss
from orchestrator_runner.runs.parameters import deep_merge, secret_values, substitute
from orchestrator_runner.runs.token_refusals import check_token
from orchestrator_shared import secret_places
from orchestrator_shared.definitions.placeholders import holds_placeholder
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.job_tokens import JOB_SCOPES, JobToken, sign_job_token
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import retry_while_unavailable
from orchestrator_shared.secret_places import SecretPlace
from orchestrator_shared.security import Encryption
from orchestrator_shared.settings import variable

log = structlog.get_logger(__name__)

FILES_DIR = "ORCHESTRATOR_FILES_DIR"
UNLIMITED_SECONDS = 24 * 3600.0
"""How long the token of a job without a time limit is valid."""
TOKEN_MARGIN_SECONDS = 300.0
"""Beyond the time limit, for clocks that differ."""
_STATE = "#state"
Variables = Mapping[str, tuple[str, bool]]
"""Name to stored value and whether it is secret."""
Load = Callable[[Sequence[ClaimedJob]], Awaitable[Sequence[Loaded]]]
"""Returns what each of these jobs needs, in order."""

TURNED_ON_BY = {
    "process": "ORCHESTRATOR_PROCESS_EXECUTOR=on",
    "docker": "ORCHESTRATOR_DOCKER_URL",
    "kubernetes": "ORCHESTRATOR_KUBERNETES_NAMESPACE",
}
"""The setting that turns an executor on, by its name."""


class AttemptRunner:
    """Prepares and executes the attempts that this replica claimed."""

    def __init__(
        self,
        *,
        load: Load,
        logs: LogStore,
        executors: Mapping[str, Executor],
        encryption: Encryption,
        handles: HandleStore,
        log_limits: LogLimits,
        api_url: str | None = None,
        job_token_key: bytes | None = None,
        files_dir: Path | None = None,
    ) -> None:
        self._load = load
        self._logs = logs
        self._executors = executors
        start_counting(executors)
        self._encryption = encryption
        self._handles = handles
        self._log_limits = log_limits
        self._api_url = api_url
        self._job_token_key = job_token_key
        self._files_dir = files_dir

    async def prepare(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Execute]:
        """Load in one batch what all of these jobs need; see `Prepare`."""
        try:
            loaded = await retry_while_unavailable(partial(self._load, jobs), outage=OutageLog("attempts"))
        except Exception as error:
            log.exception("attempt.prepare_failed", jobs=len(jobs))
            return {job.id: partial(self._fail, job, error) for job in jobs}
        return {job.id: partial(self._execute, job, one) for job, one in zip(jobs, loaded, strict=True)}

    async def _fail(self, job: ClaimedJob, error: Exception, _stop: asyncio.Event) -> Result:
        return _failed(job, error)

    async def _execute(self, job: ClaimedJob, loaded: Loaded, stop: asyncio.Event) -> Result:
        structlog.contextvars.bind_contextvars(project=job.project, job=str(job.id), run=str(job.root_id))
        try:
            executor = self._executor(job)
            adopted = self._adopted(job, executor)
            execution = self._build(job, loaded, executor, adopted)
            outcome = await self._run(job, executor, execution, adopted, stop)
        except UserError as error:
            return _result(job, Ending(JobStatus.ERROR, str(error), ErrorKind.USER))
        except ExecutionLeft:
            # No result is reported: the job stays underway, and its next owner continues this attempt.
            log.info("attempt.handed_over", attempt=job.attempt)
            raise asyncio.CancelledError from None
        except ExecutionRefused as error:
            log.warning("attempt.refused", reason=str(error))
            return Result.given_back(job, str(error))
        except ExecutionLost as error:
            ending = after_loss(job.attempts, safe_to_rerun=job.safe_to_rerun, reason=f"runner lost: {error}")
            return _result(job, ending)
        except Exception as error:
            log.exception("attempt.failed")
            return _failed(job, error)
        return _result_of(job, replace(outcome, state=self._seal_state(job, outcome.state)))

    async def _run(
        self,
        job: ClaimedJob,
        executor: Executor,
        execution: Execution,
        adopted: Adopted | None,
        stop: asyncio.Event,
    ) -> Outcome:
        since = None if adopted is None else adopted.handle.get(LOG_SEQ)
        capture = LogCapture(
            partial(self._logs.append, job),
            secrets=execution.secrets,
            limits=self._log_limits,
            first_seq=job.next_log_seq,
            skip=None if since is None else await self._logs.lengths(job, since),
        )
        try:
            with measured(job.executor or "") as attempt:
                if adopted is None:  # the start of another one was measured where it was begun
                    execution = replace(execution, started=attempt.started)
                    return attempt.ended(await executor.run(execution, capture, stop))
                return attempt.ended(await executor.adopt(execution, adopted, capture, stop))
        finally:
            await capture.close()

    def _executor(self, job: ClaimedJob) -> Executor:
        if job.executor is None:
            raise UserError(f"there is no component {job.component!r}: ask an administrator to register it")
        executor = self._executors.get(job.executor)
        if executor is None:
            raise UserError(_not_on(job.executor))
        return executor

    def _adopted(self, job: ClaimedJob, executor: Executor) -> Adopted | None:
        adopted = self._handles.adopted(job)
        if adopted is not None and not executor.adoptable:
            raise ExecutionLost(f"the component's executor is {job.executor!r} now")
        return adopted

    def _build(
        self, job: ClaimedJob, loaded: Loaded, executor: Executor, adopted: Adopted | None
    ) -> Execution:
        """Everything the attempt needs; raises UserError with what is missing."""
        check_token(job.token_refusal, job.component)
        if loaded.parameters is None:
            raise UserError(_missing(job))
        if isinstance(loaded.user, UserError):
            raise loaded.user
        parameters, secrets = self._parameters(job, loaded.parameters, loaded.variables)
        definition = loaded.definition
        target = definition.get(job.executor or "") or {}
        environment = definition.get("environment") or {}
        folder = self._project_folder(job, environment)
        passed_on = _passed_on({**environment, **(target.get("environment") or {})})
        access = self._access(job) if executor.passes_token else {}
        return Execution(
            job_id=job.id,
            attempt=job.attempt,
            argv=tuple(part.replace("{python}", sys.executable) for part in definition.get("command") or ()),
            environment={**access, **passed_on, **self._contract(job), **folder},
            config={
                "component": job.component,
                "configuration": job.configuration,
                "version": job.version,
                "parameters": parameters,
            },
            state=self._open_state(job, loaded.state),
            user=loaded.user,
            project_folder=folder.get(FILES_DIR),
            timeout_seconds=job.timeout_seconds,
            secrets=frozenset(secrets | secrets_of_environment({**access, **passed_on}) | _token_of(adopted)),
            target=target,
            safe_to_rerun=job.safe_to_rerun,
            record=self._handles.open(job) if executor.adoptable else None,
        )

    def _project_folder(self, job: ClaimedJob, declared: Mapping[str, str | None]) -> dict[str, str]:
        """The project's own folder, for a component that asks for one."""
        asks = FILES_DIR in declared and declared[FILES_DIR] is None
        return {FILES_DIR: str(self._files_dir / job.project)} if asks and self._files_dir else {}

    def _seal_state(self, job: ClaimedJob, state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The whole state is encrypted, because a component may keep secrets in it, such as a token."""
        if state is None:
            return None
        sealed: Mapping[str, Any] = self._encryption.encrypt_secrets(
            {_STATE: dict(state)}, _place_of_state(job)
        )
        return sealed

    def _open_state(self, job: ClaimedJob, stored: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Decrypt the state; rows written before states were encrypted are returned as they are."""
        if stored is None or stored.keys() != {_STATE} or not self._encryption.is_encrypted(stored[_STATE]):
            return stored
        try:
            state: Mapping[str, Any] = self._encryption.decrypt_secrets(stored, _place_of_state(job))[_STATE]
        except UserError:
            raise UserError(
                "the saved state of this configuration cannot be decrypted: put its key back into "
                f"{variable('encryption_keys')}. If it was copied from elsewhere, it must not be used here"
            ) from None
        return state

    def _parameters(
        self, job: ClaimedJob, stored: Mapping[str, Any], variables: Variables
    ) -> tuple[dict[str, Any], set[str]]:
        merged = deep_merge(stored, job.parameters)
        parameters = self._encryption.decrypt_secrets(merged, _place_of_parameters(job))
        secrets: set[str] = set()
        if holds_placeholder(parameters):
            names = {"scheduled_for": _instant(job.scheduled_for)}
            for name, (value, secret) in variables.items():
                place = secret_places.of_variable(job.project, name)
                plain = self._encryption.decrypt_value(value, place) if secret else value
                names[f"vars.{name}"] = plain
                if secret and plain:
                    secrets.add(plain)
            parameters = substitute(parameters, names)
        return parameters, secrets | secret_values(parameters)

    def _access(self, job: ClaimedJob) -> dict[str, str]:
        """The api's address, and a token with which the program may call it during this attempt."""
        if self._api_url is None or self._job_token_key is None:
            return {}
        lasts = (job.timeout_seconds or UNLIMITED_SECONDS) + TOKEN_MARGIN_SECONDS
        token = JobToken(
            job_id=job.id,
            attempt=job.attempt,
            project=job.project,
            scopes=JOB_SCOPES,
            expires_at=datetime.now(UTC) + timedelta(seconds=lasts),
        )
        return {
            "ORCHESTRATOR_URL": self._api_url.rstrip("/"),
            "ORCHESTRATOR_TOKEN": sign_job_token(self._job_token_key, token),
        }

    def _contract(self, job: ClaimedJob) -> dict[str, str]:
        """The variables of the component contract (docs/reference/component-contract.md)."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "ORCHESTRATOR_PROJECT": job.project,
            "ORCHESTRATOR_COMPONENT": job.component,
            "ORCHESTRATOR_CONFIGURATION": job.configuration,
            "ORCHESTRATOR_JOB_ID": str(job.id),
            "ORCHESTRATOR_RUN_ID": str(job.root_id),
            "ORCHESTRATOR_ATTEMPT": str(job.attempt),
            "ORCHESTRATOR_SCHEDULED_FOR": _instant(job.scheduled_for),
        }
        if job.previous_success is not None:
            environment["ORCHESTRATOR_PREVIOUS_SUCCESS"] = _instant(job.previous_success)
        if self._api_url is not None:
            environment["ORCHESTRATOR_API_URL"] = self._api_url
        return environment


def _token_of(adopted: Adopted | None) -> set[str]:
    """The token that an earlier runner gave the program."""
    token = None if adopted is None else adopted.handle.get(TOKEN)
    return {token} if isinstance(token, str) else set()


def _place_of_parameters(job: ClaimedJob) -> SecretPlace:
    return secret_places.of_parameters(job.project, job.component, job.configuration)


def _place_of_state(job: ClaimedJob) -> SecretPlace:
    return secret_places.of_state(job.project, job.component, job.configuration)


def _not_on(executor: str) -> str:
    """What the person reads whose job needs an executor that this runner lacks."""
    setting = TURNED_ON_BY.get(executor)
    turn_on = f"turn it on with {setting} or " if setting else ""
    return f"this runner has no executor {executor!r}: an administrator can {turn_on}change the component's"


def _missing(job: ClaimedJob) -> str:
    name = f"{job.component}/{job.configuration}"
    if job.version is not None:
        return f"there is no version {job.version} of the configuration {name}"
    return f"the configuration {name} is in the trash or does not exist: save it to restore it, then retry"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _passed_on(environment: Mapping[str, str | None]) -> dict[str, str]:
    """Variables that the component's document sets, and those it takes from the runner's environment."""
    own = {
        name: os.environ[name] for name, value in environment.items() if value is None and name in os.environ
    }
    return own | {name: value for name, value in environment.items() if value is not None}


def _result_of(job: ClaimedJob, outcome: Outcome) -> Result:
    """Decide what the end of an attempt means for its job."""
    if outcome.status is JobStatus.SUCCESS:
        tables = tuple({"table": str(output.table), "rows": output.rows} for output in outcome.output_tables)
        ending = Ending(JobStatus.SUCCESS, outcome.message)
        return _result(job, ending, tables, outcome.state)
    if outcome.status is JobStatus.TERMINATED:
        # If someone asked for the stop, the database writes `terminated`; otherwise the runner is stopping.
        return _result(
            job, after_loss(job.attempts, safe_to_rerun=job.safe_to_rerun, reason="its runner was stopped")
        )
    kind = outcome.error_kind or ErrorKind.INTERNAL
    return _result(job, after_failure(job.attempts, outcome.message, kind))


def _failed(job: ClaimedJob, error: Exception) -> Result:
    reason = f"the runner failed: {type(error).__name__}"
    return _result(job, after_failure(job.attempts, reason, ErrorKind.INTERNAL))


def _result(
    job: ClaimedJob,
    ending: Ending,
    tables: tuple[Mapping[str, Any], ...] = (),
    state: Mapping[str, Any] | None = None,
) -> Result:
    return Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending, tables, state)
