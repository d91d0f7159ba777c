"""One attempt as a Job: created or found again, followed to its end, or ended early."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestrator_runner.executors.elsewhere import Working, ended_early, error_of
from orchestrator_runner.executors.kubernetes.attempt_log import AttemptLog, end_task
from orchestrator_runner.executors.kubernetes.client import EVENTS, JOBS, SECRETS, KubernetesClient, Refused
from orchestrator_runner.executors.kubernetes.documents import (
    Terms,
    job_document,
    job_name,
    secret_document,
)
from orchestrator_runner.executors.kubernetes.mirror import Mirror
from orchestrator_runner.executors.kubernetes.outcome import (
    decide_end,
    decide_timeout,
    decide_vanished,
    not_started,
    refused,
)
from orchestrator_runner.executors.kubernetes.report import Reports, TaskReport, read_message
from orchestrator_runner.executors.kubernetes.verdict import (
    Ended,
    Running,
    Starting,
    TimedOut,
    Vanished,
    Verdict,
    judge,
)
from orchestrator_runner.executors.kubernetes.waits import Waits
from orchestrator_runner.executors.kubernetes.warnings import worst_warning
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import StopCause, duration_text
from orchestrator_runner.executors.port import (
    TOKEN,
    Adopted,
    Execution,
    ExecutionLost,
    LogSink,
    Outcome,
)
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.http_transport.answers import NoAnswer

TOKEN_VARIABLE = "ORCHESTRATOR_TOKEN"  # noqa: S105  the name of a variable
_CONFLICT = 409
_NOT_FOUND = 404


class PodLost(ExecutionLost):
    """The cluster ended the pod for reasons of its own."""


class KubernetesAttempt:
    """One attempt of one job."""

    def __init__(
        self,
        client: KubernetesClient,
        mirror: Mirror,
        section: KubernetesComponent,
        execution: Execution,
        adopted: Adopted | None,
        log: LogSink,
        terms: Terms,
        waits: Waits,
        later: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        """`later` runs in the background what could not be done in time."""
        self._client = client
        self._mirror = mirror
        self._section = section
        self._execution = execution
        self._adopted = adopted
        self._log = AttemptLog(client, log)
        self._terms = terms
        self._waits = waits
        self._later = later
        self._reports = Reports()
        self._words = ""
        self._uid: str | None = None
        self._was_seen = False
        self._token = execution.environment.get(TOKEN_VARIABLE)
        self.name = job_name(execution)
        self.masked = secret_forms(execution.secrets)
        self.kept = asyncio.Event()
        """Set once another runner could continue the attempt."""
        self.may_run = False
        """Whether there may be something in the cluster to end."""
        self.is_over = False
        """Set once the outcome is known and nothing of it runs any more."""
        self.has_begun = False
        """Set once the program was seen to run."""

    async def work(self) -> Outcome:
        """Create the Job unless there is one, then follow it to its end."""
        reporting: asyncio.Task[None] | None = None
        try:
            with self._mirror.following(self.name) as changed:
                has_callbacks, outcome = await self._begin()
                if outcome is not None:
                    return outcome
                record = self._execution.record
                if record is not None and has_callbacks:
                    reporting = asyncio.create_task(self._collect_reports())
                verdict = await self._follow(changed)
                return await self._conclude(verdict, changed)
        finally:
            if reporting is not None:
                await end_task(reporting)

    def can_be_left(self, working: Working) -> bool:
        """See `AttemptElsewhere`."""
        return self.kept.is_set() and not self.is_over

    def is_anothers(self, working: Working) -> bool:
        """See `AttemptElsewhere`: a fenced write told so."""
        error = error_of(working)
        return isinstance(error, ExecutionLost) and not isinstance(error, PodLost)

    def ended_early(self, working: Working, cause: StopCause) -> Outcome:
        """See `AttemptElsewhere`; with the cluster's own words about a program that did not start."""
        tells = not self.has_begun and self._words
        details = f" without being started: {self._words}" if tells else ""
        return ended_early(cause, self._execution, details=details)

    async def close(self, working: Working, grace: float, *, leave: bool) -> None:
        """See `AttemptElsewhere`."""
        if self.is_over:
            await self.forget_secret()
            self.may_run = False
        await end_task(working)
        try:
            if leave:
                await self._log.say("the Job continues; another runner will follow it")
            elif self.may_run:
                await self._end_job(grace)
        except Exception as error:
            if not leave:
                self._later(self._delete_quietly())
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    reason = "no time left" if isinstance(error, TimeoutError) else str(error)
                    await self._log.say(f"the Job {self.name} may still be running: {reason}")
        finally:
            await self._log.close()

    async def _begin(self) -> tuple[bool, Outcome | None]:
        """Returns whether reports can arrive, and the outcome if nothing can be started."""
        record = self._execution.record
        handle = None if self._adopted is None else self._adopted.handle
        if handle is not None:
            url = handle.get("callback_url")
            self._uid = handle.get("uid")
            # A Secret that is made again has to be the same: successors mask this token in the log.
            self._token = handle.get(TOKEN) or self._token
            self.kept.set()
            self.may_run = True
            if record is not None:
                self._log.mark = await record.logged()
            await self._mirror.wait_synced()
        else:
            url = await self._expect_reports()
            if record is not None:
                await record.keep_handle(self._handle(url))
                self.kept.set()
        if self._uid is None:
            return url is not None, await self._create(url)
        await self._log.say(f"following the Job {self.name} that another runner created")
        return url is not None, None

    async def _expect_reports(self) -> str | None:
        record = self._execution.record
        if record is None:
            return None
        try:
            url = record.callback_url()
        except UserError:
            return None  # short reports arrive as termination messages
        await record.expect_callbacks()
        return url

    def _handle(self, url: str | None) -> Mapping[str, Any]:
        return {"job": self.name, "uid": self._uid, "callback_url": url, TOKEN: self._token}

    async def _create(self, url: str | None) -> Outcome | None:
        """Create Job and Secret; both have fixed names, so sending either again changes nothing."""
        document = job_document(self._execution, self._section, self._terms)
        # The Secret is made first, so that one that is too large starts nothing.
        execution = self._with_token()
        secret_document(execution, {"metadata": {"name": self.name, "uid": ""}}, callback_url=url)
        pause = self._waits.retry_seconds
        while True:
            try:
                self.may_run = True
                job = await self._created(document)
                self._uid = job["metadata"]["uid"]
                secret = secret_document(execution, job, callback_url=url)
                with _there_already():
                    await self._client.create(SECRETS, secret)
                break
            except Refused as error:
                if not error.is_passing:
                    self.may_run = self._uid is not None
                    return refused(error)
                reason = str(error)
            except NoAnswer as error:
                reason = error.reason
            self._words = f"the cluster does not answer: {reason}"
            await self._log.say(f"{self._words}; trying again in {duration_text(round(pause, 1))}")
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(pause * 2, 60)
        if self._execution.record is not None:
            await self._execution.record.keep_handle(self._handle(url))
        await self._log.say(f"created the Job {self.name} in the namespace {self._client.place.namespace}")
        return None

    def _with_token(self) -> Execution:
        if self._token is None:
            return self._execution
        environment = {**self._execution.environment, TOKEN_VARIABLE: self._token}
        return replace(self._execution, environment=environment)

    async def _created(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return await self._client.create(JOBS, document)
        except Refused as error:
            if error.status != _CONFLICT:
                raise
        return await self._client.get(JOBS, self.name)

    async def _follow(self, changed: asyncio.Event) -> Verdict:
        """Wait until it is decided where it ended."""
        loop = asyncio.get_running_loop()
        start_by = loop.time() + self._section.start_timeout_seconds - self._ran_seconds
        unseen_until = loop.time() + self._waits.unseen_seconds
        look_at = loop.time() + self._waits.events_seconds
        late_until: float | None = None
        while True:
            changed.clear()
            verdict = self._judge()
            now = loop.time()
            wake_at = now + 3600.0
            if isinstance(verdict, Starting):
                if verdict.words:
                    await self._tell(verdict.words)
                if now >= start_by:
                    return verdict
                if not self._was_seen and now >= unseen_until:
                    await self._ask_for_job()
                    unseen_until = now + self._waits.unseen_seconds
                if now >= look_at and not verdict.words:
                    await self._look_at_events()
                    look_at = now + self._waits.events_seconds
                wake_at = min(start_by, look_at, wake_at if self._was_seen else unseen_until)
            elif isinstance(verdict, Running):
                self._read_log(verdict.pod.name)
            elif isinstance(verdict, Vanished) and verdict.is_late:
                late_until = late_until or now + self._waits.late_seconds
                if now >= late_until:
                    return verdict
                wake_at = late_until
            else:
                return verdict
            await self._log.until(changed, wake_at - now)

    def _judge(self) -> Verdict:
        job = self._mirror.job(self.name)
        self._was_seen = self._was_seen or job is not None
        if job is None and not self._was_seen:
            return Starting(has_pod=False)
        return judge(job, self._mirror.pods(self.name))

    async def _ask_for_job(self) -> None:
        """The watch does not show the Job: it was deleted, or the watch is behind."""
        try:
            await self._client.get(JOBS, self.name)
        except Refused as error:
            self._was_seen = error.status == _NOT_FOUND
        except NoAnswer:
            return

    async def _look_at_events(self) -> None:
        """A Job without a pod says why only in its events."""
        pods = [pod for pod in self._mirror.pods(self.name) if not pod.is_gone]
        uid = pods[0].uid if pods else self._uid
        with contextlib.suppress(Refused, NoAnswer):
            events, _ = await self._client.list(EVENTS, fieldSelector=f"involvedObject.uid={uid}")
            if words := worst_warning(events):
                await self._tell(words)

    async def _tell(self, words: str) -> None:
        if words != self._words:
            self._words = words
            await self._log.say(f"not started yet: {words}")

    def _read_log(self, pod: str) -> None:
        self.has_begun = True
        self._execution.started()
        self._log.read(pod)

    async def _conclude(self, verdict: Verdict, changed: asyncio.Event) -> Outcome:
        execution = self._execution
        if not self._words and isinstance(verdict, Starting | TimedOut):
            await self._look_at_events()
        if isinstance(verdict, Starting):
            return not_started(self._section.start_timeout_seconds, self._words)
        if isinstance(verdict, Ended):
            self._read_log(verdict.pod.name)
            await self._log.finish()
            report, fault = await self._report(verdict, changed)
            self.is_over = True
            return decide_end(verdict, report, fault, self._client.place.namespace)
        if isinstance(verdict, TimedOut):
            if verdict.pod is not None and verdict.has_begun:
                self._read_log(verdict.pod.name)
            return decide_timeout(verdict, execution.timeout_seconds, self._words)
        assert isinstance(verdict, Vanished)
        if verdict.pod is not None and not verdict.pod.is_gone:
            self._read_log(verdict.pod.name)
        outcome = decide_vanished(verdict, self._reports.any_success())
        if outcome is None:
            raise PodLost(verdict.reason)
        return outcome

    async def _report(self, ended: Ended, changed: asyncio.Event) -> tuple[TaskReport | None, str | None]:
        """The program's report, and what is wrong with it."""
        message = read_message(ended.how.message)
        if message is not None and (message.is_whole or message.report.exit != 0):
            return message.report, None
        if message is not None and not message.is_reported:
            return message.report, (
                "its result is too long for the pod's status, and the api did not take it: set "
                "ORCHESTRATOR_API_URL on the runner to an address that pods reach"
            )
        if (report := await self._arrived(ended.pod.name, changed)) is not None:
            return report, None
        if ended.how.exit_code != 0:
            return None, None
        return None, "it ended with exit code 0, but its report has not arrived"

    async def _arrived(self, pod: str, changed: asyncio.Event) -> TaskReport | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._waits.report_seconds
        while (report := self._reports.of(pod)) is None and loop.time() < until:
            if self._execution.record is None:
                break
            changed.clear()
            await self._log.until(changed, min(until - loop.time(), 0.2))
        return report

    async def _collect_reports(self) -> None:
        record = self._execution.record
        assert record is not None
        while True:
            for body in await record.callbacks():
                self._reports.add(body)

    async def _delete_quietly(self) -> None:
        with contextlib.suppress(Refused):
            await self.delete_job()

    async def forget_secret(self) -> None:
        """Remove what the program was given; the ended Job stays to be looked at."""
        with contextlib.suppress(Refused, NoAnswer):
            await self._client.delete(SECRETS, self.name, {})

    async def _end_job(self, grace: float) -> None:
        """Delete the Job, and wait until its pods have ended."""
        with self._mirror.following(self.name) as changed:
            async with asyncio.timeout(grace):
                await self.delete_job()
                while not self._is_gone():
                    changed.clear()
                    if self._is_gone():
                        break
                    await changed.wait()
                self.is_over = True
                await self._log.finish_within(2)

    async def delete_job(self) -> None:
        """Delete the Job and, with it, its pods and its Secret; tries until the cluster answers."""
        options: dict[str, Any] = {"propagationPolicy": "Foreground"}
        if self._uid is not None:
            options["preconditions"] = {"uid": self._uid}
        pause = self._waits.retry_seconds
        while True:
            try:
                await self._client.delete(JOBS, self.name, options)
                return
            except Refused as error:
                if error.status in (_NOT_FOUND, _CONFLICT):
                    return
                if not error.is_passing:
                    raise
            except NoAnswer:
                pass
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60)

    def _is_gone(self) -> bool:
        """Foreground deletion: the Job goes last."""
        pods = self._mirror.pods(self.name)
        return all(pod.is_over for pod in pods) and (self._mirror.job(self.name) is None or bool(pods))

    @property
    def _ran_seconds(self) -> float:
        return 0.0 if self._adopted is None else self._adopted.ran_seconds


@contextlib.contextmanager
def _there_already() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        if error.status != _CONFLICT:
            raise
