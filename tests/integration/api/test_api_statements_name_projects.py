"""Every statement of the api that reads rows of projects names the project: its plan says so, not its text.

A row counts as read by its project if the project is a parameter, or if ids lead to it from a row that is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import asyncpg
from tests.support.databases import Database

from orchestrator_shared.database.queries import Queries

ROOT = Path(str(resources.files("orchestrator_api")))
CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Hash Cond", "Merge Cond", "Join Filter")
SECRET = "by the hash of a secret: who has it is its owner"
INSTANCE = "of the installation: for its administrators, and rows without a project"
OWN = "rows of the person who asks, or who is signed in, in all their projects"
CLEANING = "removes what has expired, whose ever it is"
WATCHED = "for all open streams at once, each of which was let into the project of its job"
ALLOWED: Mapping[str, str] = {
    "access.administrator_token": INSTANCE,
    "access.administrator_tokens": INSTANCE,
    "access.bearer": SECRET,
    "access.forget_keyed_answers": CLEANING,
    "access.forget_tokens": CLEANING,
    "access.good_bearings": "for all open streams at once: compares each token's project with the stream's",
    "access.instance_records": INSTANCE,
    "access.last_change_of_instance": INSTANCE,
    "access.lock_administrator_token": INSTANCE,
    "access.personal_tokens": OWN,
    "access.record_token_use": "by the id of the token that has just been presented",
    "access.revoke_administrator_token": INSTANCE,
    "access.revoke_logins": "all of one person's, who may be a member of several projects",
    "access.revoke_other_tokens_of_setting": INSTANCE,
    "access.revoke_personal_token": OWN,
    "access.token_of_setting": SECRET,
    "drafts.forget_drafts": CLEANING,
    "events.decided": WATCHED,
    "events.log_news": WATCHED,
    "operations.callback_is_awaited": SECRET,
    "operations.callback_target": SECRET,
    "operations.forget_callbacks": CLEANING,
    "people.can_administer": INSTANCE,
    "people.forget_person_links": CLEANING,
    "people.held_roles": OWN,
    "people.is_reset_under_way": OWN,
    "people.seconds_until_mail": OWN,
    "people.open_link": "by the id in a link that we signed",
    "people.use_links": OWN,
    "projects.projects": "people get the projects that they are members of; administrators all",
    "queue.slots": "slots of all runners, which serve every project; only counted",
    "runs.forget_keyed_updates": CLEANING,
    "runs.forget_run_requests": CLEANING,
    "schedules.forget_schedules": CLEANING,
    "triggers.forget_triggers": CLEANING,
    "tables.listeners_elsewhere": "counts the triggers of others on a table of the project",
}
"""Statements that read rows of projects otherwise, with the reason."""
WITHOUT_KEY = ("triggers.fires", "triggers.edits")
"""Tables whose rows belong to projects, though neither a column nor a foreign key says so."""

PROJECT = re.compile(
    r"\b(\w+)\.(?:project|shared_with)\)?(?:::text)? = (?:ANY )?\(?\$\d"
    r"|\$\d+ = \(?(\w+)\.(?:project|shared_with)\b"
)
ID = r"(?:\b(\w+)\.(?:\w+_)?(?:id|run|project)\b|(\$\w+))"
JOINED = re.compile(rf"{ID}(?:::\w+)?\)? = \(?{ID}")
"""Two rows of one thing: by ids of each other, by the same parameter, or in the same project."""
VALUE = re.compile(r"InitPlan (\d+)(?: \(returns (\$\d+)\))?")
"""A subquery for one value; conditions mention it as `(InitPlan 1).col1`, or as `$1` before PostgreSQL 17."""
VALUE_MENTIONED = re.compile(r"\(InitPlan (\d+)\)\.col\d+")


def statements() -> Iterator[tuple[str, str]]:
    """Name (`room.statement`) and text of each."""
    for file in sorted(ROOT.rglob("*.sql")):
        room = ".".join(file.parent.relative_to(ROOT).parts)
        queries = Queries.load(f"orchestrator_api.{room}", file.name)
        for name in queries:
            yield f"{room}.{name}", queries[name]


async def tables_of_projects(connection: asyncpg.Connection) -> set[str]:
    """Tables with a column `project`, and those that refer to them."""
    found = {
        table
        for (table,) in await connection.fetch(
            "SELECT table_schema || '.' || table_name FROM information_schema.columns"
            " WHERE column_name = 'project'"
        )
    }
    keys = await connection.fetch(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
    )
    while more := {table for table, other in keys if other in found} - found:
        found |= more
    return {*found, *WITHOUT_KEY}


async def plan(connection: asyncpg.Connection, sql: str) -> dict[str, Any]:
    """The plan for any values of the parameters."""
    await connection.execute(f"PREPARE tried AS {sql}")
    types = await connection.fetchval(
        "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'tried'"
    )
    values = ", ".join(f"NULL::{each}" for each in types)
    found = await connection.fetchval(
        f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE tried{f'({values})' if values else ''}"
    )
    await connection.execute("DEALLOCATE tried")
    node: dict[str, Any] = json.loads(found)[0]["Plan"]
    return node


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from nodes(below)


def read_without_project(node: dict[str, Any], of_projects: set[str]) -> set[str]:
    """Tables of projects that the plan reads otherwise than by project, or by ids of rows found so."""
    conditions = " ".join(str(each[key]) for each in nodes(node) for key in CONDITIONS if key in each)
    conditions = VALUE_MENTIONED.sub(r"$value\1", conditions)
    scans = {
        each["Alias"]: f"{each['Schema']}.{each['Relation Name']}"
        for each in nodes(node)
        if "Relation Name" in each and each["Node Type"] != "ModifyTable"
    }
    known = {first or second for first, second in PROJECT.findall(conditions)}
    links = {(a or b, c or d) for a, b, c, d in JOINED.findall(conditions)}
    links |= {(right, left) for left, right in links}
    results = list(results_of(node))
    while True:
        more = {right for left, right in links if left in known}
        more |= {alias for alias, read in results if read & known}
        if more <= known:
            return {table for alias, table in scans.items() if table in of_projects and alias not in known}
        known |= more


def results_of(node: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """The alias or parameter of each subquery or common table expression, with the aliases read there."""
    parts = {each.get("Subplan Name"): each for each in nodes(node)}
    for name, part in parts.items():
        if value := VALUE.fullmatch(name or ""):
            yield value[2] or f"$value{value[1]}", {scan["Alias"] for scan in nodes(part) if "Alias" in scan}
    for each in nodes(node):
        if "Alias" in each and "Relation Name" not in each:
            below = parts.get(f"CTE {each.get('CTE Name')}", each)
            yield (
                each["Alias"],
                {scan["Alias"] for scan in nodes(below) if "Alias" in scan and scan is not each},
            )


async def test_every_statement_names_the_project(database: Database) -> None:
    async with database.connection() as connection:
        of_projects = await tables_of_projects(connection)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        found = {
            name: tables
            for name, sql in statements()
            if (tables := read_without_project(await plan(connection, sql), of_projects))
        }
    unexplained = {name: tables for name, tables in found.items() if name not in ALLOWED}
    assert not unexplained, "add `project = $project` to them, or a reason to ALLOWED"
    assert sorted(found) == sorted(ALLOWED), "these name the project now: remove their reasons"


async def test_the_check_finds_what_forgets_the_project(database: Database) -> None:
    async with database.connection() as connection:
        of_projects = await tables_of_projects(connection)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for wrong in (
            "SELECT * FROM catalog.variables WHERE name = $1::text",
            "SELECT * FROM jobs.logs_v1 WHERE job_id = $1",
            "SELECT l.* FROM jobs.jobs_v1 j JOIN jobs.logs_v1 l ON l.job_id = j.id WHERE j.id = $1",
            "SELECT * FROM catalog.tokens t JOIN catalog.projects p ON p.id = t.project WHERE t.id = $1",
            "DELETE FROM catalog.triggers WHERE id = $1",
        ):
            assert read_without_project(await plan(connection, wrong), of_projects), wrong
        for right in (
            "SELECT * FROM catalog.variables WHERE project = $1 AND name = $2",
            "SELECT l.* FROM jobs.jobs_v1 j JOIN jobs.logs_v1 l ON l.job_id = j.id"
            " WHERE j.id = $1 AND j.project = $2",
        ):
            assert not read_without_project(await plan(connection, right), of_projects), right
