"""Lists read rows of their own project, found by an index, however many others there are."""

from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.queries import Queries

PROJECTS, MANY, ORCHESTRATIONS, TRASHED = 20, 1_000, 100, 100
# Of each project: deliveries about a hundred orchestrations, tables in ten buckets, tokens, triggers.
FILL = f"""
INSERT INTO catalog.projects (id, name) SELECT 'p' || p, 'p' FROM generate_series(1, {PROJECTS}) AS p;
INSERT INTO notifications.facts (key, project, orchestration, event)
SELECT p || '/' || n, 'p' || p, 'o' || n % {ORCHESTRATIONS}, 'error'
FROM generate_series(1, {PROJECTS}) AS p, generate_series(1, {MANY}) AS n;
INSERT INTO notifications.deliveries
    (id, fact_key, project, orchestration, event, channel, recipient, reason, message_id, created_at)
SELECT gen_random_uuid(), p || '/' || n, 'p' || p, 'o' || n % {ORCHESTRATIONS}, 'error', 'email', 'a@b.cz',
       'subscription', 'm', now() - make_interval(mins => n)
FROM generate_series(1, {PROJECTS}) AS p, generate_series(1, {MANY}) AS n;
INSERT INTO triggers.tables (project, name)
SELECT 'p' || p, 'in.c-' || n % 10 || '.t' || n
FROM generate_series(1, {PROJECTS}) AS p, generate_series(1, {MANY}) AS n;
INSERT INTO catalog.shares (project, bucket, shared_with)
SELECT 'p' || p, 'in.c-1', 'p' || p % {PROJECTS} + 1 FROM generate_series(1, {PROJECTS}) AS p;
INSERT INTO catalog.tokens (id, project, kind, name, secret_hash, scopes)
SELECT gen_random_uuid(), 'p' || p, 'api', 't', decode(md5(p || '/' || n), 'hex'), '{{read}}'
FROM generate_series(1, {PROJECTS}) AS p, generate_series(1, 100) AS n;
INSERT INTO catalog.configurations (project, component, id, name, version)
SELECT 'p' || p, 'orchestrator', 'o' || n, 'o', 1
FROM generate_series(1, {PROJECTS}) AS p, generate_series(1, {ORCHESTRATIONS}) AS n;
INSERT INTO catalog.triggers (id, project, orchestration, name)
SELECT gen_random_uuid(), project, id, 't' FROM catalog.configurations WHERE component = 'orchestrator';
INSERT INTO catalog.trigger_tables (trigger_id, table_project, table_name)
SELECT id, project, 'in.c-1.' || orchestration FROM catalog.triggers;
INSERT INTO catalog.components (id, name, type, executor, definition)
SELECT c, c, 'extractor', 'process', '{{}}' FROM unnest('{{a-first,m-middle}}'::text[]) AS c;
INSERT INTO catalog.configurations (project, component, id, name, version, deleted_at)
SELECT 'p' || p, c, 'c' || n, 'Name ' || n % 7, 1, CASE WHEN n > {MANY} THEN now() END
FROM generate_series(1, {PROJECTS}) AS p, unnest('{{a-first,m-middle}}'::text[]) AS c,
     generate_series(1, {MANY} + {TRASHED}) AS n;
INSERT INTO catalog.configuration_versions
    (project, component, configuration, version, parameters, author, created_at)
SELECT project, component, id, 1, '{{}}', 'test', now() - make_interval(mins => hashtext(id) % 1000)
FROM catalog.configurations;
ANALYZE
"""
# A page and the versions on it, and the few components.
PAGE = 2 * 20 + 10
OF_ONE = {"component": "'m-middle'"}
IN_IT = {"after_component": "'m-middle'", "after": "'c5'"}
NAMED = {**IN_IT, "after_name": "'Name 3'"}
UPDATED = {**IN_IT, "after_update": "now() - interval '3 hours'"}
CASES = [
    ("notifications", "deliveries", {}, 25),
    ("notifications", "deliveries", {"before": "now() - interval '10 hours'"}, 25),
    ("notifications", "deliveries_of_orchestration", {"orchestration": "'o7'"}, MANY // ORCHESTRATIONS),
    ("access", "tokens", {"search": "'none'"}, 100),
    # Its tables and those of the project that shares with it, and the few shares, for each bucket.
    ("tables", "tables", {}, 2 * MANY + 500),
    ("tables", "buckets", {}, 2 * MANY + 500),
    *(
        ("catalog", f"configurations_by_{order}", given, PAGE + passed)
        # By id, they pass those in the trash, which have an id among the first ones.
        for order, inside, passed in (("id", IN_IT, TRASHED), ("name", NAMED, 0), ("update", UPDATED, 0))
        for given in ({}, OF_ONE, inside, {**OF_ONE, **inside}, {"component": "'orchestrator'"})
    ),
    *(
        ("catalog", f"configurations_by_{order}_backwards", given, PAGE)
        for order, inside in (("id", IN_IT), ("name", NAMED), ("update", UPDATED))
        for given in (OF_ONE, inside, {**OF_ONE, **inside}, {"component": "'orchestrator'"})
    ),
    # They pass the orchestrations, which are not among them.
    ("catalog", "configurations_by_id_backwards", {}, PAGE + ORCHESTRATIONS),
    ("catalog", "configurations_by_name_backwards", {}, PAGE + ORCHESTRATIONS),
    ("catalog", "configurations_by_update_backwards", {}, PAGE + ORCHESTRATIONS),
    # One trigger with its table and orchestration.
    ("tables", "listeners", {"owner": "'p1'", "table": "'in.c-1.o7'"}, 3),
    ("tables", "listeners_elsewhere", {"table": "'in.c-1.o7'"}, 3),
]


async def test_lists_read_rows_of_their_project_alone(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(FILL)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        read = []
        for room, name, given, most in CASES:
            queries = Queries.load(f"orchestrator_api.{room}", "store.sql")
            values = {"project": "'p1'", "limit": "20", **given}
            arguments = ", ".join(values.get(each, "NULL") for each in queries.parameters(name))
            found = rows_read(await explained(connection, queries[name], arguments))
            read.append((name, given, found, most))
    assert [each for each in read if each[2] > each[3]] == []
