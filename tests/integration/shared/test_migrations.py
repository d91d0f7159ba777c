"""Migrations on a real server: order, checksums, concurrency, roles and refusals."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from tests.support.databases import Database

from orchestrator_shared.database.migrations import (
    MigrationError,
    MigrationFiles,
    SchemaOutdated,
    check_version,
    migrate,
)
from orchestrator_shared.database.roles import (
    GRAFANA,
    Roles,
    RolesError,
    create_roles,
    roles_sql,
    scram_verifier,
)
from orchestrator_shared.domain.ids import new_id

ONE = "CREATE SCHEMA a; CREATE TABLE a.one (n int);"
TWO = "CREATE TABLE a.two (n int);\nINSERT INTO a.two VALUES (1);"


def write(folder: Path, *, grants: str = "", **files: str) -> MigrationFiles:
    (folder / "migrations").mkdir(exist_ok=True)
    for name, sql in files.items():
        (folder / "migrations" / f"{name.removeprefix('m')}.sql").write_text(sql)
    (folder / "grants.sql").write_text(grants)
    return MigrationFiles.read(folder)


@pytest.fixture
async def connection(empty_database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_database.url)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def roles(connection: asyncpg.Connection) -> AsyncIterator[Roles]:
    """Roles of this test's own, removed after it: roles belong to the whole server."""
    roles = Roles.prefixed(f"t_{new_id().hex[-12:]}_")
    yield roles
    for role in roles.by_name().values():
        if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def passwords(roles: Roles) -> dict[str, str]:
    return {service: f"pw'\\ {service}" for service in roles.by_service()}


async def test_files_are_applied_once_in_order(connection: asyncpg.Connection, tmp_path: Path) -> None:
    files = write(tmp_path, m0002_two=TWO, m0001_one=ONE)
    assert await migrate(connection, None, files=files) == ["0001_one", "0002_two"]
    assert await migrate(connection, None, files=files) == []
    assert await connection.fetchval("SELECT count(*) FROM a.two") == 1
    await check_version(connection, files=files)


async def test_concurrent_calls_take_turns(empty_database: Database, tmp_path: Path) -> None:
    files = write(tmp_path, m0001_one=ONE, m0002_two=f"SELECT pg_sleep(0.3); {TWO}")
    connections = [await asyncpg.connect(empty_database.url) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(each, None, files=files) for each in connections))
    assert sorted(len(names) for names in applied) == [0, 0, 0, 2]
    for each in connections:
        await each.close(timeout=5)


async def test_a_changed_file_is_refused(connection: asyncpg.Connection, tmp_path: Path) -> None:
    await migrate(connection, None, files=write(tmp_path, m0001_one=ONE))
    with pytest.raises(MigrationError, match="0001_one was changed after it had been applied"):
        await migrate(connection, None, files=write(tmp_path, m0001_one=ONE + " -- more", m0002_two=TWO))
    assert await connection.fetchval("SELECT to_regclass('a.two')") is None


async def test_a_failing_file_leaves_nothing_of_itself(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    bad = "CREATE TABLE a.half (n int);\nSELECT nothing FROM nowhere;"
    with pytest.raises(MigrationError, match=r'0002_bad, line 2: relation "nowhere" does not exist'):
        await migrate(connection, None, files=write(tmp_path, m0001_one=ONE, m0002_bad=bad))
    assert await connection.fetchval("SELECT to_regclass('a.half')") is None
    assert await connection.fetchval("SELECT to_regclass('a.one')") is not None
    (tmp_path / "migrations" / "0002_bad.sql").unlink()
    assert await migrate(connection, None, files=write(tmp_path, m0002_two=TWO)) == ["0002_two"]


async def test_a_newer_database_is_not_migrated_but_served(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    old = write(tmp_path, m0001_one=ONE)
    await migrate(connection, None, files=write(tmp_path, m0002_two=TWO))
    with pytest.raises(MigrationError, match="newer than this code: it has 0002_two"):
        await migrate(connection, None, files=old)
    await check_version(connection, files=old)


async def test_an_older_database_is_not_served(connection: asyncpg.Connection, tmp_path: Path) -> None:
    old = write(tmp_path, m0001_one=ONE)
    with pytest.raises(SchemaOutdated, match="orchestrator db migrate"):
        await check_version(connection, files=old)
    await migrate(connection, None, files=old)
    with pytest.raises(SchemaOutdated, match="lacks 0002_two"):
        await check_version(connection, files=write(tmp_path, m0002_two=TWO))


async def test_a_number_before_an_applied_one_is_refused(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await migrate(connection, None, files=write(tmp_path, m0002_one=ONE))
    with pytest.raises(MigrationError, match="renumber"):
        await migrate(connection, None, files=write(tmp_path, m0001_zero="SELECT 1"))


def test_a_number_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="each number once"):
        write(tmp_path, m0001_one=ONE, m0001_other=TWO)


async def test_missing_roles_are_named_before_anything_is_done(
    connection: asyncpg.Connection, tmp_path: Path, roles: Roles
) -> None:
    with pytest.raises(MigrationError, match=f"{roles.api} does not exist: run `orchestrator db roles`"):
        await migrate(connection, roles, files=write(tmp_path, m0001_one=ONE))
    assert await connection.fetchval("SELECT to_regclass('a.one')") is None


async def test_made_roles_sign_in_and_have_what_was_granted(
    connection: asyncpg.Connection, empty_database: Database, roles: Roles, tmp_path: Path
) -> None:
    await create_roles(connection, roles, passwords(roles))
    grants = "GRANT USAGE ON SCHEMA a TO {{api}}; GRANT SELECT ON a.one TO {{api}};"
    files = write(tmp_path, grants=grants, m0001_one=ONE, m0002_two=TWO)
    await migrate(connection, roles, files=files)
    await migrate(connection, roles, files=files)
    api = await asyncpg.connect(empty_database.url, user=roles.api, password=passwords(roles)["api"])
    try:
        assert await api.fetchval("SELECT count(*) FROM a.one") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.fetchval("SELECT count(*) FROM a.two")
    finally:
        await api.close(timeout=5)


async def test_creating_roles_again_changes_their_passwords(
    connection: asyncpg.Connection, roles: Roles
) -> None:
    await create_roles(connection, roles, passwords(roles))
    await create_roles(connection, roles, {**passwords(roles), "api": "another"})
    stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", roles.api)
    salt = stored.split("$")[1].split(":")[1]
    assert scram_verifier("another", salt=base64.b64decode(salt)) == stored


async def test_a_user_who_may_not_create_roles_learns_what_to_do(
    connection: asyncpg.Connection, roles: Roles
) -> None:
    await create_roles(connection, roles, passwords(roles))
    await connection.execute(f"SET ROLE {roles.api}")
    with pytest.raises(RolesError, match="DBA"):
        await create_roles(connection, Roles.prefixed("t_never_"), passwords(roles))
    await connection.execute("RESET ROLE")


async def test_the_printed_sql_works(connection: asyncpg.Connection, roles: Roles) -> None:
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(roles_sql(roles, database=name))
    found = await connection.fetch(
        "SELECT rolcanlogin, rolsuper, rolinherit FROM pg_roles WHERE rolname = ANY ($1)",
        list(roles.by_name().values()),
    )
    assert sorted(map(tuple, found)) == [(True, False, False)] * 6 + [(True, False, True)]
    members = (
        "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND pg_has_role(rolname, 'pg_monitor', 'MEMBER')"
    )
    ours = {row["rolname"] for row in await connection.fetch(members)} & set(roles.by_name().values())
    assert ours == {roles.exporter}


async def test_the_packaged_migrations_apply_with_their_grants(
    connection: asyncpg.Connection, roles: Roles, empty_database: Database
) -> None:
    await create_roles(connection, roles, passwords(roles))
    applied = await migrate(connection, roles)
    assert applied == [migration.name for migration in MigrationFiles.packaged().migrations]
    await check_version(connection)
    for service, role in roles.by_service().items():
        as_role = await asyncpg.connect(empty_database.url, user=role, password=passwords(roles)[service])
        await check_version(as_role)
        await as_role.close(timeout=5)


async def test_the_last_migration_is_seen_together_with_its_grants(
    connection: asyncpg.Connection, roles: Roles, tmp_path: Path
) -> None:
    """A service that waits for it uses the new tables at once."""
    await create_roles(connection, roles, passwords(roles))
    files = write(tmp_path, grants="GRANT SELECT ON a.missing TO {{api}};", m0001_one=ONE, m0002_two=TWO)

    with pytest.raises(MigrationError, match="does not exist"):
        await migrate(connection, roles, files=files)

    assert await connection.fetchval("SELECT to_regclass('a.one') IS NOT NULL")
    assert await connection.fetchval("SELECT to_regclass('a.two') IS NULL")


async def test_an_owner_who_is_no_superuser_creates_roles_and_migrates(
    connection: asyncpg.Connection, roles: Roles, empty_database: Database
) -> None:
    """As the manifests for Kubernetes set up CloudNativePG."""
    owner = f"{roles.api}_owner"
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'o'")
    await connection.execute(f'ALTER DATABASE "{name}" OWNER TO {owner}')
    as_owner = await asyncpg.connect(empty_database.url, user=owner, password="o")
    try:
        for _ in range(2):
            await create_roles(as_owner, roles, passwords(roles))
            await migrate(as_owner, roles)
        as_runner = await asyncpg.connect(
            empty_database.url, user=roles.runner, password=passwords(roles)["runner"]
        )
        await check_version(as_runner)
        await as_runner.close(timeout=5)
    finally:
        await as_owner.close(timeout=5)
        await connection.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}")
        for role in roles.by_service().values():
            await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await connection.execute(f"DROP ROLE {owner}")


OURS = """
SELECT n.nspname || '.' || c.relname AS name,
       has_schema_privilege($1, n.oid, 'USAGE') AND has_any_column_privilege($1, c.oid, 'SELECT') AS reads,
       has_any_column_privilege($1, c.oid, 'INSERT, UPDATE')
       OR has_table_privilege($1, c.oid, 'DELETE, TRUNCATE') AS writes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""


async def test_grafana_reads_the_reports_and_nothing_else(
    connection: asyncpg.Connection, roles: Roles, empty_database: Database
) -> None:
    await create_roles(connection, roles, passwords(roles))
    await migrate(connection, roles)  # an installation without dashboards, that gets them later
    await create_roles(connection, roles, {**passwords(roles), GRAFANA: "for dashboards"})
    await migrate(connection, roles)

    found = await connection.fetch(OURS, roles.grafana)
    assert {row["name"] for row in found if row["reads"]} == {
        "reports.orchestrations_v1",
        "reports.runs_v1",
        "reports.phases_v1",
    }
    assert [row["name"] for row in found if row["writes"]] == []
    grafana = await asyncpg.connect(empty_database.url, user=roles.grafana, password="for dashboards")
    try:
        assert await grafana.fetch("SELECT * FROM reports.runs_v1") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await grafana.fetch("SELECT * FROM jobs.jobs_v1")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await grafana.execute("CREATE TEMP TABLE t ()")
        assert await grafana.fetchval("SHOW statement_timeout") == "10s"
    finally:
        await grafana.close(timeout=5)


async def test_a_role_without_rights_learns_who_may_migrate(
    connection: asyncpg.Connection, roles: Roles, tmp_path: Path
) -> None:
    await create_roles(connection, roles, passwords(roles))
    await connection.execute(f"SET ROLE {roles.api}")
    with pytest.raises(MigrationError, match="ORCHESTRATOR_DATABASE_URL"):
        await migrate(connection, None, files=write(tmp_path, m0001_one=ONE))
    await connection.execute("RESET ROLE")
