"""The process executor: the conformance suite, and what only programs of this host can do."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support.executor_conformance import Behaviour, ExecutorConformance, RecordingLog
from tests.support.waiting import eventually

from orchestrator_runner.executors.port import AttemptId, Execution, Outcome
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

COMPONENT = """
import json, pathlib, sys, time
behaviour = sys.argv[1]
if behaviour == "fail_as_user":
    sys.exit(print("reading\\nno such column: amount\\n", file=sys.stderr) or 1)
elif behaviour == "fail_internally":
    raise SystemExit(3)
elif behaviour == "hang":
    print("hanging", flush=True)
    time.sleep(600)
elif behaviour == "report":
    tables = [{"table": "out.c-main.a", "rows": 3}, "out.c-main.b"]
    pathlib.Path("result.json").write_text(json.dumps({"message": "3 rows", "output_tables": tables}))
elif behaviour == "count_runs":
    state = pathlib.Path("state.json")
    runs = json.loads(state.read_text())["runs"] if state.exists() else 0
    state.write_text(json.dumps({"runs": runs + 1}))
elif behaviour == "echo_config":
    say = json.loads(pathlib.Path("config.json").read_text())["parameters"]["say"]
    print(say)
    pathlib.Path("result.json").write_text(json.dumps({"message": say}))
"""


class ProcessHarness:
    def __init__(self, executor: ProcessExecutor, keeper: Keeper, work: Path) -> None:
        self.executor = executor
        self.keeper = keeper
        self.work = work

    def execution(self, behaviour: Behaviour, **fields: Any) -> Execution:
        return self.python(COMPONENT, behaviour.value, **fields)

    def successor(self) -> AbstractAsyncContextManager[ProcessExecutor]:
        return ProcessExecutor.open(self.keeper, ProcessSettings(self.work))

    def release(self) -> None:
        raise AssertionError("a process ends with its runner")

    def python(self, program: str, *arguments: str, **fields: Any) -> Execution:
        return self.command(sys.executable, "-S", "-c", program, *arguments, **fields)

    def command(self, *argv: str, **fields: Any) -> Execution:
        environment: Mapping[str, str] = {"PATH": os.defpath, "PYTHONUTF8": "1"}
        return Execution(
            **{
                "job_id": uuid4(),
                "attempt": 1,
                "argv": argv,
                "environment": environment,
                "config": {},
                **fields,
            }
        )

    async def run(self, *argv: str, **fields: Any) -> tuple[Outcome, RecordingLog]:
        log = RecordingLog()
        outcome = await self.executor.run(self.command(*argv, **fields), log, asyncio.Event())
        return outcome, log

    async def said(self, execution: Execution) -> list[str]:
        log = RecordingLog()
        outcome = await self.executor.run(execution, log, asyncio.Event())
        assert outcome.status is JobStatus.SUCCESS
        return log.text("stdout").decode().splitlines()

    def left_behind(self) -> list[Path]:
        found = set(self.work.glob("replica-*/*")) - set(self.spares())
        return [path for path in found if path.name != ".lock"]

    def spares(self) -> list[Path]:
        return list(self.work.glob("replica-*/spare.*"))


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ProcessHarness]:
    settings = ProcessSettings(tmp_path / "work", grace_seconds=1.0)
    async with Keeper.open(drain_seconds=0.3) as keeper, ProcessExecutor.open(keeper, settings) as executor:
        keeper.renew_lease(60)
        yield ProcessHarness(executor, keeper, tmp_path / "work")


class TestProcess(ExecutorConformance):
    """Run as real programs through a real keeper."""


async def test_the_environment_is_exactly_what_was_given(harness: ProcessHarness) -> None:
    _, log = await harness.run("env", environment={"PATH": os.defpath, "GIVEN": "yes"})
    names = {line.split("=")[0] for line in log.text("stdout").decode().splitlines()}
    assert names == {"PATH", "GIVEN", "ORCHESTRATOR_DATA_DIR"}


async def test_the_directory_is_private_and_gone_afterwards(harness: ProcessHarness) -> None:
    _, log = await harness.run("sh", "-c", "stat -c %a . config.json && pwd && echo $ORCHESTRATOR_DATA_DIR")
    mode, config_mode, directory, variable = log.text("stdout").decode().split()
    assert (mode, config_mode, directory) == ("700", "600", variable)
    assert harness.left_behind() == []


async def test_arguments_reach_the_program_untouched(harness: ProcessHarness) -> None:
    hostile = ["$(id)", "; rm -rf /", "a b", "", "ž'\""]
    _, log = await harness.run("printf", "%s|", *hostile)
    assert log.text("stdout").decode() == "|".join([*hostile, ""])


async def test_standard_input_is_empty_and_no_descriptor_leaks(harness: ProcessHarness) -> None:
    outcome, log = await harness.run("sh", "-c", "cat; ls /proc/self/fd")
    assert outcome.status is JobStatus.SUCCESS
    assert log.text("stdout").split() == [b"0", b"1", b"2", b"3"]  # 3 is the folder that ls reads


async def test_signals_are_not_ignored_by_inheritance(harness: ProcessHarness) -> None:
    _, log = await harness.run("grep", "-E", "Sig(Ign|Blk)", "/proc/self/status")
    standard = 2**31 - 1  # glibc's posix_spawn leaves its own two above them ignored
    assert {int(line.split()[1], 16) & standard for line in log.text("stdout").splitlines()} == {0}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["no-such-program"], "there is no program 'no-such-program'"),
        (["./no-such-program"], "No such file or directory"),
        (["/etc/passwd"], "Permission denied"),
        (["true", "nul\0byte"], "null"),
        (["true", "x" * 3_000_000], "Argument list too long"),
        (["true", "x" * 17_000_000], "more than 16777216"),
    ],
)
async def test_a_program_that_cannot_start_reports_why(
    harness: ProcessHarness, argv: list[str], expected: str
) -> None:
    outcome, _ = await harness.run(*argv)
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert expected in outcome.message
    assert harness.left_behind() == []


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("exit 1", "user", "ended with exit code 1 and wrote nothing to stderr"),
        ("echo why >&2; exit 7", "internal", "exited with 7: why"),
        ("echo why >&2; kill -9 $$", "internal", "killed by SIGKILL: why"),
        ("exit 137", "internal", "exited with 137 (SIGKILL)"),
        ("echo '[1]' > result.json", "internal", "result.json: must be an object"),
        ("ln -s /etc/passwd result.json", "internal", "result.json: Too many levels of symbolic links"),
        ("mkfifo state.json", "internal", "state.json: is not a regular file"),
        (
            "head -c 1100000 /dev/zero > state.json",
            "internal",
            "state.json: is larger than 1048576 bytes",
        ),
    ],
)
async def test_exits_become_outcomes(harness: ProcessHarness, script: str, kind: str, message: str) -> None:
    outcome, _ = await harness.run("sh", "-c", script)
    assert (outcome.status, outcome.error_kind, outcome.message) == (JobStatus.ERROR, kind, message)


LOOK_AROUND = "import os; print(os.stat('.').st_ino, os.listdir(), open('config.json').read())"


async def test_a_directory_in_which_nothing_was_left_is_blanked_and_given_again(
    harness: ProcessHarness,
) -> None:
    first = harness.python(LOOK_AROUND, config={"#password": "a long secret"}, state={"rows": 1})
    (said,) = await harness.said(first)
    inode, _, rest = said.partition(" ")
    assert rest in (
        """['config.json', 'state.json'] {"#password": "a long secret"}""",
        """['state.json', 'config.json'] {"#password": "a long secret"}""",
    )
    (spare,) = harness.spares()
    assert [path.name for path in spare.iterdir()] == ["config.json"]
    assert (spare / "config.json").read_text().strip(" ") == ""
    assert await harness.said(harness.python(LOOK_AROUND, config={"a": 1})) == [
        f"""{inode} ['config.json'] {{"a": 1}}"""
    ]


@pytest.mark.parametrize(
    "script",
    [
        "touch more",
        "mkdir more",
        "chmod 755 .",
        "chmod 644 config.json",
        "rm config.json",
        "ln config.json ../hard-link",
        "mv config.json ../moved; ln -s ../moved config.json",
        "rm config.json; mkfifo -m 600 config.json",
        "head -c 70000 /dev/zero > config.json",
        "mv $PWD $PWD.moved; ln -s $PWD.moved $PWD",
    ],
)
async def test_a_directory_that_is_not_as_it_was_made_is_not_given_again(
    harness: ProcessHarness, script: str
) -> None:
    await harness.run("sh", "-c", script, config={"#password": "secret"})
    assert harness.spares() == []
    (said,) = await harness.said(harness.python(LOOK_AROUND, config={"a": 1}))
    assert said.endswith("""['config.json'] {"a": 1}""")


async def test_a_directory_that_resists_is_removed(harness: ProcessHarness) -> None:
    await harness.run("sh", "-c", "mkdir -p a/b/c; touch a/b/f; chmod 0 a/b; ln -s / a/root; chmod 500 a .")
    await eventually(lambda: harness.left_behind() == [])
    assert stat.S_ISDIR(os.stat("/etc").st_mode)


async def test_what_a_killed_replica_left_is_removed(harness: ProcessHarness, tmp_path: Path) -> None:
    abandoned = harness.work / "replica-dead"
    (abandoned / "job").mkdir(parents=True)
    (abandoned / ".lock").touch()
    (abandoned / "job" / "config.json").write_text(json.dumps({"#password": "x"}))
    settings = ProcessSettings(harness.work)
    async with ProcessExecutor.open(harness.keeper, settings):
        assert not abandoned.exists()
        outcome, _ = await harness.run("true")  # the living one beside it is left alone
        assert outcome.status is JobStatus.SUCCESS


async def test_what_a_replica_left_that_was_killed_meanwhile_is_removed(harness: ProcessHarness) -> None:
    abandoned = harness.work / "replica-dead"
    abandoned.mkdir()
    (abandoned / ".lock").touch()

    async def none_of_them(_: Collection[AttemptId]) -> Collection[AttemptId]:
        return ()

    await harness.executor.reconcile(none_of_them)
    assert not abandoned.exists()
    outcome, _ = await harness.run("true")
    assert outcome.status is JobStatus.SUCCESS


async def test_a_log_that_cannot_be_stored_ends_the_task(harness: ProcessHarness) -> None:
    class BrokenLog(RecordingLog):
        async def write(self, *_: object) -> None:
            raise RuntimeError("the log is full")

    run = harness.executor.run(harness.command("sh", "-c", "echo x; sleep 600"), BrokenLog(), asyncio.Event())
    with pytest.raises(RuntimeError, match="the log is full"):
        await asyncio.wait_for(run, 10)
    assert harness.left_behind() == []
