"""Runs from request to end, by a real runner process on real servers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task, until_all_meet
from tests.support.scraping import Scraped

from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.secret_places import of_parameters, of_variable
from orchestrator_shared.security import Encryption

OK = "print('done')"
FAIL = "sys.exit('it broke')"


async def test_phases_follow_each_other_and_tasks_overlap(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    wait = until_all_meet(tmp_path / "met", 2) + "time.sleep(0.3)"
    await pipelines.scripts(a=wait, b=wait, c=OK)
    await pipelines.orchestration("campaigns", [task("a"), task("b")], [task("c")])
    runner = start_runner()
    await runner.ready()

    run = await pipelines.ended(await pipelines.run("campaigns"))

    assert (run["status"], run["seq"], run["version"], run["full_run"]) == ("success", 1, 1, True)
    jobs = await pipelines.children(run["id"])
    assert max(jobs["a"]["started_at"], jobs["b"]["started_at"]) < min(
        jobs["a"]["finished_at"], jobs["b"]["finished_at"]
    )
    assert jobs["c"]["accepted_at"] >= max(jobs["a"]["finished_at"], jobs["b"]["finished_at"])
    assert await pipelines.log(jobs["c"]["id"]) == "done\n"
    measured = await Scraped.of(runner.url)
    assert measured("orchestrator_runner_run_seconds_count", status="success") == 1
    assert (measured("orchestrator_runner_run_seconds_sum", status="success") or 0) > 0.3
    assert measured("orchestrator_runner_runs_finished_total", status="success") == 1
    assert measured("orchestrator_runner_runs_finished_total", status="error") == 0
    assert measured("orchestrator_runner_phase_seconds_count") == 2
    assert measured("orchestrator_runner_wait_seconds_count", cause="configuration") == 4, "run and tasks"
    assert measured("orchestrator_runner_wait_seconds_count", cause="slot") == 3
    assert measured("orchestrator_executor_attempts_total", executor="process", outcome="success") == 3
    assert measured("orchestrator_executor_start_seconds_count", executor="process") == 3
    assert measured("orchestrator_executor_attempt_seconds_count", executor="http") == 0
    assert (measured("orchestrator_message_lag_seconds_count", queue="runner.commands") or 0) > 0
    assert measured("orchestrator_jobs", kind="run", status="waiting") == 0, "measured at the start"


async def test_a_failure_stops_the_run_after_its_phase(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(bad=FAIL, good=OK, later=OK)
    await pipelines.orchestration("campaigns", [task("bad"), task("good")], [task("later")])
    await start_runner().ready()

    run = await pipelines.ended(await pipelines.run("campaigns"))

    assert (run["status"], run["error_kind"], run["message"]) == ("error", "user", "failed: bad")
    assert await pipelines.tasks(run["id"]) == {
        "bad": "error",
        "good": "success",
        "later": "not_executed",
    }
    bad = (await pipelines.children(run["id"]))["bad"]
    assert (bad["status"], bad["error_kind"], bad["message"]) == ("error", "user", "it broke")


async def test_continue_on_failure_ends_in_a_warning(pipelines: Pipelines, start_runner: StartRunner) -> None:
    await pipelines.scripts(bad=FAIL, later=OK)
    await pipelines.orchestration("inner", [task("bad", continue_on_failure=True)], [task("later")])
    await pipelines.orchestration("outer", [task("inner", component="orchestrator")])
    await start_runner().ready()

    run = await pipelines.ended(await pipelines.run("outer"))

    assert run["status"] == "warning"
    inner = (await pipelines.children(run["id"]))["inner"]
    assert (inner["status"], inner["depth"], inner["root_id"]) == ("warning", 1, run["id"])
    assert await pipelines.tasks(inner["id"]) == {"bad": "error", "later": "success"}


async def test_inactive_and_deselected_tasks_do_not_count(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=OK, b=OK, bad=FAIL)
    await pipelines.orchestration("campaigns", [task("a"), task("bad", enabled=False)], [task("b")])
    await start_runner().ready()

    full = await pipelines.ended(await pipelines.run("campaigns"))
    partial = await pipelines.ended(await pipelines.run("campaigns", tasks=["b"]))

    assert (full["status"], full["full_run"]) == ("success", True)
    assert await pipelines.tasks(full["id"]) == {"a": "success", "bad": "skipped", "b": "success"}
    assert (partial["status"], partial["full_run"]) == ("success", False)
    assert await pipelines.tasks(partial["id"]) == {"a": "skipped", "bad": "skipped", "b": "success"}


async def test_the_same_configuration_runs_one_at_a_time_first_come_first_served(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a="import time; time.sleep(0.1)")
    await pipelines.orchestration("campaigns", [task("a")])
    await start_runner().ready()

    ids = [await pipelines.run("a", component="script") for _ in range(3)]
    ids += [await pipelines.run("campaigns") for _ in range(2)]
    rows = [await pipelines.ended(job) for job in ids]

    assert {row["status"] for row in rows} == {"success"}
    attempts = await pipelines.database.fetch(
        "SELECT started_at, finished_at FROM jobs.jobs WHERE component = 'script' ORDER BY seq"
    )
    assert len(attempts) == 5
    for earlier, later in pairwise(attempts):
        assert earlier["finished_at"] <= later["started_at"]
    assert rows[3]["finished_at"] <= rows[4]["started_at"]


async def test_asking_twice_is_asking_once(pipelines: Pipelines, start_runner: StartRunner) -> None:
    await pipelines.scripts(a=OK)
    await start_runner().ready()
    job = new_job_id()

    for _ in range(3):
        await pipelines.run("a", component="script", job_id=job)
    await pipelines.ended(job)
    await pipelines.run("a", component="script", job_id=job)
    await pipelines.ended(await pipelines.run("a", component="script"))

    assert await pipelines.database.fetchval("SELECT count(*) FROM jobs.jobs") == 2


async def test_what_cannot_run_ends_with_the_reason(pipelines: Pipelines, start_runner: StartRunner) -> None:
    await pipelines.orchestration("empty")
    await pipelines.orchestration("selfish", [task("selfish", component="orchestrator")])
    await pipelines.orchestration("lost", [task("nowhere")])
    await start_runner().ready()

    expected = {
        "empty": "phases: the orchestration has no tasks: add one before running it",
        "missing": "the orchestration 'missing' is in the trash or does not exist: save it to restore it",
        "selfish": "selfish: the orchestrations run each other: selfish → selfish",
        "lost": "failed: nowhere",
    }
    for name, message in expected.items():
        run = await pipelines.ended(await pipelines.run(name))
        assert (run["status"], run["error_kind"], run["message"]) == ("error", "user", message)
    unknown = await pipelines.ended(await pipelines.run("a", component="unheard-of"))
    assert unknown["message"].startswith("there is no component 'unheard-of'")


async def test_attempts_with_delay_free_the_configuration(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(flaky="sys.exit('not yet' if os.environ['ORCHESTRATOR_ATTEMPT'] != '3' else 0)")
    await pipelines.orchestration("campaigns", [task("flaky", attempts=3, attempt_delay_seconds=0.6)])
    await start_runner().ready()

    first = await pipelines.run("campaigns")
    await pipelines.in_status(first, "processing")
    child = (await pipelines.children(first))["flaky"]["id"]
    await pipelines.in_status(child, "waiting")
    between = await pipelines.ended(await pipelines.run("flaky", component="script"))
    run = await pipelines.ended(first)

    assert run["status"] == "success"
    assert between["finished_at"] < run["finished_at"], "a job between attempts blocks nobody"
    outcomes = await pipelines.database.fetch(
        "SELECT * FROM jobs.attempts WHERE job_id = $1 ORDER BY attempt", child
    )
    assert [row["outcome"] for row in outcomes] == ["error", "error", "success"]
    assert outcomes[0]["message"] == "not yet"
    assert outcomes[0]["ready_at"] <= outcomes[0]["started_at"], "each attempt keeps what it waited for"
    for before, after in pairwise(outcomes):
        assert after["due_at"] >= before["finished_at"] + timedelta(seconds=0.59)
        assert after["due_at"] <= after["ready_at"] <= after["started_at"]


async def test_a_retry_keeps_the_previous_success_of_its_original(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=FAIL)
    await pipelines.orchestration("campaigns", [task("a")])
    await start_runner().ready()
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in range(1, 5)]

    first = await pipelines.ended(await pipelines.run("campaigns", scheduled_for=days[0]))
    await pipelines.scripts(a=OK)
    second = await pipelines.ended(await pipelines.run("campaigns", scheduled_for=days[1]))
    third = await pipelines.ended(await pipelines.run("campaigns", scheduled_for=days[2]))
    await pipelines.ended(await pipelines.run("campaigns", scheduled_for=days[3]))
    retries = [
        await pipelines.ended(
            await pipelines.run("campaigns", retry_of=run["id"], scheduled_for=run["scheduled_for"])
        )
        for run in (first, second, third)
    ]

    backfilled = await pipelines.ended(
        await pipelines.run("campaigns", scheduled_for=days[1] + timedelta(hours=1))
    )
    regular = await pipelines.ended(
        await pipelines.run("campaigns", scheduled_for=days[3] + timedelta(hours=1))
    )

    assert [run["previous_success"] for run in (first, second, third)] == [None, None, days[1]]
    assert [run["previous_success"] for run in retries] == [None, None, days[1]]
    assert backfilled["previous_success"] == days[1], "of an earlier instant, though later ones succeeded"
    assert regular["previous_success"] == days[3], "the newest instant, though older ones were retried since"


async def test_a_tasks_job_retried_by_itself_keeps_its_attempts_and_time_limit(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=FAIL)
    wish = {"attempts": 2, "attempt_backoff": 3.0, "retry_on": "user", "timeout_seconds": 60}
    await pipelines.orchestration("campaigns", [task("a", **wish)])
    await start_runner().ready()
    run = await pipelines.ended(await pipelines.run("campaigns"))
    job = (await pipelines.children(run["id"]))["a"]

    again = await pipelines.ended(await pipelines.run("a", component="script", retry_of=job["id"]))

    rules = ("attempt", "max_attempts", "attempt_backoff", "retry_on", "timeout_seconds")
    assert [again[rule] for rule in rules] == [2, 2, 3.0, "user", 60]


async def test_pinned_versions_reach_the_tasks_of_nested_runs(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a="print('old')", b="print('old')", c="print('old')")
    await pipelines.orchestration("inner", [task("b"), task("c")])
    await pipelines.orchestration("outer", [task("a")], [task("inner", component="orchestrator")])
    await pipelines.scripts(a="print('new')", b="print('new')", c="print('new')")
    await pipelines.orchestration("inner", [task("c")])
    await start_runner().ready()

    pins = {"outer": {"a": 1, "inner": 1}, "inner": {"b": 1}}
    run = await pipelines.ended(await pipelines.run("outer", task_versions=pins))

    outer = await pipelines.children(run["id"])
    inner = await pipelines.children(outer["inner"]["id"])
    assert {name: job["version"] for name, job in {**outer, **inner}.items()} == {
        "a": 1,
        "inner": 1,
        "b": 1,
        "c": 2,
    }
    assert [await pipelines.log(job["id"]) for job in (outer["a"], inner["b"], inner["c"])] == [
        "old\n",
        "old\n",
        "new\n",
    ]


async def test_parameters_secrets_state_and_output_tables(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    encryption = Encryption([bytes(range(32))])
    code = """
state = directory + "/state.json"
count = json.load(open(state))["count"] if os.path.exists(state) else 0
json.dump({"count": count + 1}, open(state, "w"))
print(parameters["#password"], parameters["day"], parameters["over"])
result(message=f"count {count + 1}", output_tables=[{"table": "out.c-main.orders", "rows": 3}])
"""
    await pipelines.configuration(
        "load",
        {
            "code": code,
            "#password": encryption.encrypt_value(
                "{{ vars.password }}", of_parameters(PROJECT, "script", "load")
            ),
            "day": ["{{ scheduled_for }}"],
            "over": {"a": 1, "b": 1},
        },
    )
    await pipelines.database.execute(
        "INSERT INTO catalog.variables (project, name, value, secret) VALUES ($1, 'password', $2, true)",
        PROJECT,
        encryption.encrypt_value("hunter22", of_variable(PROJECT, "password")),
    )
    await start_runner().ready()
    await pipelines.orchestration("campaigns", [task("load", parameters={"parameters": {"over": {"b": 2}}})])
    when = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)

    first = await pipelines.ended(await pipelines.run("campaigns", scheduled_for=when))
    second = await pipelines.ended(await pipelines.run("campaigns"))

    job = (await pipelines.children(first["id"]))["load"]
    assert job["message"] == "count 1"
    assert job["output_tables"] == '[{"rows": 3, "table": "out.c-main.orders"}]'
    assert await pipelines.log(job["id"]) == "*** ['2026-03-01T05:30:00Z'] {'a': 1, 'b': 2}\n"
    again = (await pipelines.children(second["id"]))["load"]
    assert (again["message"], again["previous_success"]) == ("count 2", when)


async def test_a_secret_is_hidden_wherever_a_job_leaves_it(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    """Issue 8, 13 and 31: numbers, the password in a URL alone, encodings, table names; states in clear."""
    encryption = Encryption([bytes(range(32))])
    secrets = {
        "#pin": 918273645546372,
        "#connection": "postgresql://u:Hid%2Fden77@h/w",
        "#key": "k3y/w1th+sl4sh",
    }
    codes = {
        "log": """
import base64, urllib.parse
print(parameters["#pin"], "Hid/den77", base64.b64encode(b"me:" + parameters["#key"].encode()).decode())
print(urllib.parse.quote(parameters["#key"], safe="").lower())
print(json.dumps(parameters["#key"]).replace("/", "\\/"))
json.dump({"cursor": parameters["#key"], "pin": parameters["#pin"]}, open(directory + "/state.json", "w"))
result(message=f"pin {parameters['#pin']}, password Hid/den77")
""",
        "table": 'result(output_tables=[{"table": f"out.c-main.{parameters[\'#pin\']}", "rows": 3}])',
        "rows": 'result(output_tables=[{"table": "out.c-main.a", "rows": parameters["#pin"]}])',
    }
    for name, code in codes.items():
        sealed = encryption.encrypt_secrets(secrets, of_parameters(PROJECT, "script", name))
        await pipelines.configuration(name, {"code": code, **sealed})
    await start_runner().ready()

    runs = {name: await pipelines.run(name, component="script") for name in codes}
    ended = {name: await pipelines.ended(run) for name, run in runs.items()}

    assert ended["log"]["message"] == "pin ***, password ***"
    shown = await pipelines.log(runs["log"])
    assert shown.count("***") == 5
    assert not any(part in shown for part in ("918", "Hid", "k3y", "a3kvd", "sl4sh"))
    assert (ended["table"]["status"], ended["table"]["error_kind"]) == ("error", "user")
    assert ended["table"]["message"].startswith("output table out.c-main.***: its name contains a secret")
    assert ended["rows"]["output_tables"] == '[{"rows": null, "table": "out.c-main.a"}]'
    everything = await pipelines.database.fetch(
        "SELECT j::text AS row FROM jobs.jobs j UNION ALL "
        "SELECT s::text FROM jobs.configuration_states s UNION ALL SELECT a::text FROM jobs.attempts a"
    )
    assert not any("918273645546372" in row["row"] or "k3y" in row["row"] for row in everything)


async def test_a_state_from_before_states_were_encrypted_is_read(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    """Issue 8, 13: what the release before has stored still counts, and is encrypted from then on."""
    await pipelines.scripts(
        count="""
count = json.load(open(directory + "/state.json"))["count"]
json.dump({"count": count + 1}, open(directory + "/state.json", "w"))
result(message=f"count {count + 1}")
"""
    )
    await pipelines.database.execute(
        "INSERT INTO jobs.configuration_states (project, component, configuration, state, job_id) "
        """VALUES ($1, 'script', 'count', '{"count": 41}', gen_random_uuid())""",
        PROJECT,
    )
    await start_runner().ready()
    for expected in ("count 42", "count 43"):
        job = await pipelines.ended(await pipelines.run("count", component="script"))
        assert job["message"] == expected
    stored = await pipelines.database.fetchval("SELECT state::text FROM jobs.configuration_states")
    assert stored.startswith('{"#state": "enc:v2:')


async def test_a_runner_that_starts_no_programs_says_which_setting_changes_that(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=OK)
    await pipelines.orchestration("campaigns", [task("a")])
    await start_runner(ORCHESTRATOR_PROCESS_EXECUTOR="off").ready()

    run = await pipelines.ended(await pipelines.run("campaigns"))

    job = (await pipelines.children(run["id"]))["a"]
    assert (job["status"], job["error_kind"], job["attempt"]) == ("error", "user", 1)
    assert job["message"] == (
        "this runner has no executor 'process': an administrator can turn it on with "
        "ORCHESTRATOR_PROCESS_EXECUTOR=on or change the component's"
    )
