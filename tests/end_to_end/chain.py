"""The chain run → table updates → triggered run → mails, and what must hold however it was disturbed."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.support.stack import Stack
from tests.support.waiting import eventually

CHAIN = """
orchestration: ingest
phases:
  - name: Load
    tasks:
      - run: load/orders
      - run: load/rates
  - name: Shape
    tasks:
      - run: shape/sales
notify:
  ops@example.com: [success, error, warning]
---
orchestration: report
phases:
  - name: Write
    tasks:
      - run: write/dashboard
  - name: Check
    tasks:
      - run: write/check
        continue_on_failure: true
triggers:
  ready: {tables: [in.c-erp.orders, out.c-erp.sales]}
notify:
  ops@example.com: [success, error, warning]
---
configuration: load/orders
parameters: {seconds: 0.4, tables: [in.c-erp.orders]}
---
configuration: load/rates
parameters: {seconds: 0.4}
---
configuration: shape/sales
parameters: {seconds: 0.4, tables: [out.c-erp.sales]}
---
configuration: write/dashboard
parameters: {seconds: 0.3}
---
configuration: write/check
parameters: {fail: the totals differ}
"""
TASKS = {"ingest": 3, "report": 2}
STATUS = {"ingest": "success", "report": "warning"}


@dataclass
class Chains:
    """Chains one after another, each counted from its request to the second mail."""

    stack: Stack
    asked: list[str] = field(default_factory=list)
    repeated: bool = False
    quiet: set[str] = field(default_factory=set)
    """Runs that nobody is told of."""

    async def prepare(self) -> None:
        await self.stack.apply(CHAIN)
        await eventually(self._trigger_known, 30)

    async def _trigger_known(self) -> bool:
        explanation = await self.stack.explain("report", "ready")
        return all(table["counted"] is not None for table in explanation["tables"])

    async def begin(self) -> str:
        """Request the first run of a chain."""
        run = await self.stack.run("ingest")
        self.asked.append(run)
        return run

    async def complete(
        self,
        during: Callable[[], Awaitable[None]] | None = None,
        *,
        repeated_mails: bool = False,
        timeout: float = 60,
    ) -> None:
        """One chain from begin to end, with a disturbance beside it, and its facts checked."""
        run = await self.begin()
        if during:
            await during()
        await self.stack.ended(run, timeout)
        await eventually(self._all_reported, timeout)
        await self.stack.at_rest(timeout)
        await self.check(repeated_mails=repeated_mails or self.repeated)
        self.repeated |= repeated_mails

    async def _all_reported(self) -> bool:
        return len(await self.stack.runs("report")) >= len(self.asked)

    async def check(self, *, repeated_mails: bool = False) -> None:
        """What must hold at rest: every fact once, whatever was killed meanwhile."""
        ingests, reports = await self.stack.runs("ingest"), await self.stack.runs("report")
        assert sorted(run["id"] for run in ingests) == sorted(self.asked), (ingests, self.asked)
        assert len(reports) == len(self.asked), reports
        assert {run["origin"] for run in reports} == {"trigger"}, reports
        for run in (*ingests, *reports):
            await self._check_run(run)
        self.stack.ledger.check_serial()
        self._check_mails([run["id"] for run in (*ingests, *reports)], repeated=repeated_mails)
        await self._check_records()
        letters = await self.stack.dead_letters()
        assert not letters, letters

    async def _check_run(self, run: dict[str, object]) -> None:
        name = str(run["configuration"])
        assert run["status"] == STATUS[name], run
        phases = await self.stack.phases(str(run["id"]))
        jobs = [task["job"] for phase in phases for task in phase["tasks"]]
        executions = self.stack.ledger.executions(str(run["id"]))
        assert len(jobs) == TASKS[name], phases
        done = Counter(execution.job_id for execution in executions if execution.ended)
        assert set(done) == {job["id"] for job in jobs}, executions
        for job in jobs:
            attempts = [each.attempt for each in executions if each.job_id == job["id"]]
            assert max(attempts) == job["attempt"], (job, executions)

    def _check_mails(self, runs: list[str], *, repeated: bool) -> None:
        """One mail per run; a repetition only where a crash hit the sending, and with the same id."""
        for run in runs:
            about = [mail for mail in self.stack.mails.messages if run in mail.text]
            if run in self.quiet:
                assert not about, (run, [mail.subject for mail in about])
                continue
            ids = {mail.message["Message-ID"] for mail in about}
            assert len(ids) == 1, (run, [mail.subject for mail in about])
            assert repeated or len(about) == 1, (run, [mail.subject for mail in about])

    async def _check_records(self) -> None:
        """Every update has one disposition, every fire one generation and one job."""
        fires = await self.stack.database.fetch(
            "SELECT generation, job_id, ended FROM triggers.fires ORDER BY 1"
        )
        assert [fire["generation"] for fire in fires] == list(range(1, len(self.asked) + 1)), fires
        assert {fire["ended"] for fire in fires} == {"started"}, fires
        (counts,) = await self.stack.database.fetch(
            """SELECT (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL) AS heard,
                      (SELECT count(*) FROM triggers.dispositions) AS judged"""
        )
        assert set(counts.values()) == {2 * len(self.asked)}, dict(counts)
