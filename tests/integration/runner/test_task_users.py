"""Issue 8, 8: a task reads nothing of the runner, of its keeper, of other tasks and of keys beside them."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines
from tests.support.waiting import eventually

from orchestrator_runner.executors.task_users import TaskUsers
from orchestrator_runner.queue import task_users
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.settings import SettingsError

FIRST, LAST = 1_999_000_000, 1_999_000_001
OF_THE_C_LIBRARY = 0b11 << 31
"""As a mask of signals."""
RANGE = f"{FIRST}-{LAST}"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs tasks as other users")

SPY = """
id -u; id -G
umask 077; echo mine > "$ORCHESTRATOR_FILES_DIR/kept.csv"; stat -c %a "$ORCHESTRATOR_FILES_DIR"
keeper=$PPID
work=$TEST_LEDGER/work
runner=$(awk '{print $4}' /proc/$keeper/stat)
for file in /proc/$runner/environ /proc/$keeper/environ /proc/$runner/mem /proc/$runner/maps \\
        "$TEST_LEDGER"/keys.json "$TEST_LEDGER"/files/other/* "$TEST_LEDGER"/files/other \\
        "$work" "$work"/replica-* "$work"/replica-*/*/config.json \\
        /proc/[0-9]*/environ; do
    [ "$file" = "/proc/$$/environ" ] && continue
    if [ -d "$file" ]; then ls "$file" > /dev/null 2>&1; else head -c 1 "$file" > /dev/null 2>&1; fi \\
        && echo "READ $file of $(stat -c %u "$file")"
done
grep -E '^(NoNewPrivs|CapEff|SigIgn):' /proc/self/status
kill -9 $keeper 2> /dev/null && echo KILLED
[ -r config.json ] && echo own config
echo '{"message": "done", "output_tables": ["out.c-a.b"]}' > result.json
echo '{"seen": 1}' > state.json
exit 0
"""
WAIT = 'echo "$ORCHESTRATOR_DATA_DIR" > "$ORCHESTRATOR_FILES_DIR/where"; exec sleep 600'


@pytest.fixture
def place() -> Iterator[Path]:
    """Where every user may pass; folders of pytest are closed."""
    folder = Path(tempfile.mkdtemp(prefix="orchestrator-users-", dir="/tmp"))
    folder.chmod(0o711)
    keys = folder / "keys.json"
    keys.write_text("{}")
    keys.chmod(0o600)
    yield folder
    shutil.rmtree(folder)


async def shell_component(pipelines: Pipelines, project: str, script: str) -> None:
    """A configuration of `project` that is run by sh, which needs no Python."""
    component = "wait" if script == WAIT else "spy"
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            "INSERT INTO catalog.projects (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", project
        )
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ($1, $1, 'application', 'process', 'rerun', $2) ON CONFLICT DO NOTHING""",
            component,
            {
                "command": ["sh", "-c", script],
                "environment": {"TEST_LEDGER": None, "ORCHESTRATOR_FILES_DIR": None},
            },
        )
        await connection.execute(
            """INSERT INTO catalog.configurations (project, component, id, name, version)
               VALUES ($1, $2, 'it', 'it', 1)""",
            project,
            component,
        )
        await connection.execute(
            """INSERT INTO catalog.configuration_versions
                   (project, component, configuration, version, parameters, author)
               VALUES ($1, $2, 'it', 1, '{}', 'test')""",
            project,
            component,
        )


def environment(place: Path, **more: str) -> dict[str, str]:
    return {
        "ORCHESTRATOR_WORK_DIR": str(place / "work"),
        "ORCHESTRATOR_FILES_DIR": str(place / "files"),
        "ORCHESTRATOR_TASK_UIDS": RANGE,
        "TEST_LEDGER": str(place),
        **more,
    }


@contextmanager
def quit_ignored() -> Iterator[None]:
    """As a shell starts what it puts in the background; a program inherits it."""
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)


@AS_ROOT
async def test_a_task_that_looks_around_reads_nothing_of_others(
    pipelines: Pipelines, start_runner: StartRunner, place: Path
) -> None:
    await shell_component(pipelines, "other", WAIT)
    await shell_component(pipelines, PROJECT, SPY)
    with quit_ignored():
        runner = start_runner(**environment(place))
    await runner.ready()
    waiting = await pipelines.run("it", component="wait", project="other")
    where = place / "files" / "other" / "where"
    await eventually(lambda: where.exists() and where.read_text().strip(), 30)
    other = Path(where.read_text().strip())
    assert (other / "config.json").exists()

    lines = []
    for _ in range(3):  # the second and third time in a directory that is used again
        run = await pipelines.run("it", component="spy")
        job = await pipelines.ended(run)
        assert (job["status"], job["message"]) == ("success", "done"), await pipelines.log(run)
        lines.append((await pipelines.log(run)).splitlines())
    assert await pipelines.status(waiting) == "processing"

    user = other.stat().st_uid
    mine = (place / "files" / PROJECT).stat().st_uid
    assert {user, mine} == {FIRST, LAST}
    for each in lines:
        assert each[:3] == [str(mine), str(mine), "700"]
        assert not [line for line in each if line.startswith(("READ", "KILLED"))]
        # Those that the C library keeps for itself (32, 33) no program handles; our parent may ignore them.
        name, _, ignored = each[3].partition("\t")
        assert (name, int(ignored, 16) & ~OF_THE_C_LIBRARY) == ("SigIgn:", 0)
        assert each[4:] == [
            "CapEff:\t0000000000000000",
            "NoNewPrivs:\t1",
            "own config",
        ]
    assert (place / "files" / PROJECT / "kept.csv").stat().st_uid == mine


@AS_ROOT
async def test_more_projects_than_users_are_refused(
    pipelines: Pipelines, start_runner: StartRunner, place: Path
) -> None:
    for project in ("a", "b", "c"):
        await shell_component(pipelines, project, "exit 0")
    await start_runner(**environment(place)).ready()
    ended = [
        await pipelines.ended(await pipelines.run("it", component="spy", project=project))
        for project in ("a", "b", "c")
    ]
    assert [job["status"] for job in ended] == ["success", "success", "error"]
    assert "ORCHESTRATOR_TASK_UIDS a longer range" in ended[2]["message"]


@AS_ROOT
async def test_what_lay_in_a_project_folder_becomes_its_users(
    pipelines: Pipelines, start_runner: StartRunner, place: Path, tmp_path: Path
) -> None:
    """Files put there before the first job; a link in it is given away, not what it leads to."""
    outside = tmp_path / "outside"
    outside.write_text("")
    folder = place / "files" / PROJECT
    (folder / "sub").mkdir(parents=True, mode=0o700)
    (folder / "sub" / "orders.csv").write_text("a\n")
    (folder / "sub" / "link").symlink_to(outside)
    await shell_component(pipelines, PROJECT, 'cat "$ORCHESTRATOR_FILES_DIR/sub/orders.csv"')
    await start_runner(**environment(place)).ready()
    run = await pipelines.run("it", component="spy")
    assert (await pipelines.ended(run))["status"] == "success"
    assert await pipelines.log(run) == "a\n"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert outside.stat().st_uid == 0
    (folder / "new").mkdir()
    (folder / "new" / "later.csv").write_text("")
    os.link(outside, folder / "another-name")
    await pipelines.ended(await pipelines.run("it", component="spy"))
    assert (folder / "new" / "later.csv").stat().st_uid == FIRST
    assert outside.stat().st_uid == 0


@AS_ROOT
async def test_an_unreachable_program_is_reported_with_its_user(
    pipelines: Pipelines, start_runner: StartRunner, place: Path
) -> None:
    (place / "closed").mkdir(mode=0o700)
    shutil.copy("/bin/true", place / "closed" / "tool")
    await shell_component(pipelines, PROJECT, "unused")
    await pipelines.database.execute(
        "UPDATE catalog.components SET definition = jsonb_set(definition, '{command}', $1) WHERE id = 'spy'",
        f'["{place}/closed/tool"]',
    )
    await start_runner(**environment(place)).ready()
    job = await pipelines.ended(await pipelines.run("it", component="spy"))
    assert job["message"].startswith(f"cannot be started (as user {FIRST}, see ORCHESTRATOR_TASK_UIDS): ")
    assert "Permission denied" in job["message"]


@AS_ROOT
def test_a_place_out_of_reach_is_refused_where_users_were_asked_for(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(SettingsError, match=rf"user {FIRST} cannot reach .*closed/work$"):
        task_users.choose_task_users(RANGE, [closed / "work"])
    assert task_users.choose_task_users("auto", [closed / "work"]) is None


def test_nobody_else_can_run_tasks_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert task_users.choose_task_users("auto", []) is None
    with pytest.raises(SettingsError, match="only a runner that is root"):
        task_users.choose_task_users("10002", [])


@pytest.mark.parametrize("text", ["", "0", "5-4", "-1", "1-", "a", "1-2-3", "4294967295", "1 - 2"])
def test_ranges_are_checked(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        TaskUsers.parse(text)


def test_one_user_serves_every_project() -> None:
    assert [TaskUsers.parse("10002").of(number) for number in (0, 5)] == [10002, 10002]
    assert TaskUsers.parse("7-8").of(1) == 8
    with pytest.raises(UserError, match="users for 2 projects"):
        TaskUsers.parse("7-8").of(2)
