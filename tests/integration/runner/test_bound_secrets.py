"""The runner decrypts only what is bound to the configuration that runs, and to the right use of it."""

from typing import Any
from uuid import UUID

import asyncpg
from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task

from orchestrator_shared.secret_places import SecretPlace, of_parameters, of_state, of_variable
from orchestrator_shared.security import Encryption

ENCRYPTION = Encryption([bytes(range(32))])
OLDER = Encryption([bytes(range(32))], form="v1")
SAY = "result(message=str(len(parameters['#password'])))"
LOAD = of_parameters(PROJECT, "script", "load")


def sealed(place: SecretPlace) -> dict[str, Any]:
    return {"#password": ENCRYPTION.encrypt_value("hunter22", place)}


async def ended(pipelines: Pipelines, job: UUID) -> asyncpg.Record:
    return await pipelines.ended(job)


async def test_what_is_bound_to_anything_else_is_refused(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.configuration("load", {"code": SAY})
    await start_runner().ready()
    runs = {"own": {"parameters": sealed(LOAD)}}
    runs["older"] = {"parameters": {"#password": OLDER.encrypt_value("hunter22", LOAD)}}
    for name, place in (
        ("of another configuration", of_parameters(PROJECT, "script", "other")),
        ("of another component", of_parameters(PROJECT, "fragile", "load")),
        ("of another project", of_parameters("other", "script", "load")),
        ("a state", of_state(PROJECT, "script", "load")),
        ("a variable", of_variable(PROJECT, "load")),
    ):
        runs[name] = {"parameters": sealed(place)}
    jobs = {name: await pipelines.run("load", component="script", **given) for name, given in runs.items()}
    for name, job in jobs.items():
        end = await pipelines.ended(job)
        if name in ("own", "older"):
            assert (end["status"], end["message"]) == ("success", "8"), name
        else:
            assert (end["status"], end["error_kind"]) == ("error", "user"), name
            assert "not made in this project for the configuration script/load" in end["message"]


async def test_parameters_through_nested_runs_arrive(pipelines: Pipelines, start_runner: StartRunner) -> None:
    await pipelines.configuration("load", {"code": SAY, **sealed(LOAD)})
    await pipelines.orchestration("inner", [task("load", parameters={"parameters": sealed(LOAD)})])
    above = {"parameters": {"load": sealed(LOAD)}}
    await pipelines.orchestration("outer", [task("inner", component="orchestrator", parameters=above)])
    await start_runner().ready()
    run = await pipelines.ended(await pipelines.run("outer", parameters={"inner": {"load": sealed(LOAD)}}))
    assert run["status"] == "success"


async def test_a_state_and_a_variable_serve_only_their_own(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    keeps = 'json.dump({"#token": "hunter22"}, open(directory + "/state.json", "w"))'
    await pipelines.scripts(first=keeps, second=keeps, named="result(message='{{ vars.first }}')")
    for name in ("first", "second"):
        secret = ENCRYPTION.encrypt_value("hunter22", of_variable(PROJECT, "first"))
        await pipelines.database.execute(
            "INSERT INTO catalog.variables (project, name, value, secret) VALUES ($1, $2, $3, true)",
            PROJECT,
            name,
            secret,
        )
    await start_runner().ready()
    assert (await ended(pipelines, await pipelines.run("first", component="script")))["status"] == "success"
    await pipelines.database.execute(
        "INSERT INTO jobs.configuration_states (project, component, configuration, state, job_id)"
        " SELECT project, component, 'second', state, job_id FROM jobs.configuration_states"
    )
    second = await ended(pipelines, await pipelines.run("second", component="script"))
    assert (second["status"], second["error_kind"]) == ("error", "user")
    assert "saved state" in second["message"]
    named = await ended(pipelines, await pipelines.run("named", component="script"))
    assert (named["status"], named["error_kind"]) == ("error", "user")
    assert "for the variable second" in named["message"]
