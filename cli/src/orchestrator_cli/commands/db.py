"""`orchestrator db`: migrations and roles of the services' database."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg
import typer
from pydantic import Field

from orchestrator_cli.failures import BadInput, CommandFailure, Unreachable
from orchestrator_cli.output import counted
from orchestrator_shared.database.failover import WritableServer
from orchestrator_shared.database.key_rotation import KeyRotation, KeyUse
from orchestrator_shared.database.migrations import SchemaOutdated, check_version, migrate
from orchestrator_shared.database.roles import Roles, create_roles, optional, roles_sql
from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.recovery.restored import Choices, Settled, settle
from orchestrator_shared.recovery.unheard import SentAgain, send_again
from orchestrator_shared.secret_files import SecretFileError, secret_of
from orchestrator_shared.security import Encryption
from orchestrator_shared.settings import DatabaseSettings, EncryptionKeys, SettingsError, load_settings

app = typer.Typer()

CONNECT_SECONDS = 10
COMMAND_SECONDS = 3600
DOTS_HINT = (
    "A producer's topic permission for another project may also match their routing keys: "
    "see 'Projects with dots' in docs/how-to/publish-table-updates.md"
)
T = TypeVar("T")


@app.command("migrate")
def migrate_command() -> None:
    """Migrate the database in ORCHESTRATOR_DATABASE_URL to this version; safe to repeat."""
    settings = _settings(DatabaseSettings)
    applied = _with_connection(settings, lambda connection: migrate(connection, _roles(settings)))
    for name in applied:
        print(f"applied {name}")
    print("the database is up to date" if not applied else f"{counted(len(applied), 'migration')} applied")
    if dotted := _with_connection(settings, _projects_with_dots):
        print(f"note: projects with dots: {', '.join(dotted)}. {DOTS_HINT}")


async def _projects_with_dots(connection: asyncpg.Connection) -> list[str]:
    """Created when names could contain dots; they keep working."""
    rows = await connection.fetch("SELECT id FROM catalog.projects WHERE strpos(id, '.') > 0 ORDER BY id")
    return [row["id"] for row in rows]


@app.command("roles")
def roles_command(
    show: Annotated[
        bool, typer.Option("--print", help="Print the SQL for a DBA instead of running it.")
    ] = False,
) -> None:
    """Create a login role for each service, and for Grafana and an exporter if their passwords are set.

    Passwords come from ORCHESTRATOR_DATABASE_PASSWORD_API, ..._TRIGGER_WATCHER and so on; the rest are
    prompted for. ORCHESTRATOR_DATABASE_PASSWORD_GRAFANA and ..._EXPORTER are never prompted for.
    """
    if show:
        prefix = os.environ.get("ORCHESTRATOR_DATABASE_ROLE_PREFIX") or "orchestrator_"
        name = unquote(urlsplit(os.environ.get("ORCHESTRATOR_DATABASE_URL", "")).path.lstrip("/")) or None
        print(roles_sql(Roles.prefixed(prefix), database=name), end="")
        return
    settings = _settings(DatabaseSettings)
    roles = _roles(settings)
    if roles is None:
        raise BadInput(
            "ORCHESTRATOR_DATABASE_ROLES=single: all services share one role; there are no roles to create"
        )
    passwords = {service: _password(service) for service in roles.by_service()}
    created = list(roles.by_service().values())
    for name, role in optional(roles).items():
        if password := _given_password(name):
            passwords[name] = password
            created.append(role)
    _with_connection(settings, lambda connection: create_roles(connection, roles, passwords))
    print(f"roles: {', '.join(created)}")


@app.command("status")
def status_command() -> None:
    """Check that the database has every migration of this version; exit code 1 if not."""
    settings = _settings(DatabaseSettings)
    try:
        _with_connection(settings, check_version)
    except SchemaOutdated as error:
        raise CommandFailure(str(error)) from None
    print("the database is up to date")


class _KeySettings(DatabaseSettings):
    """What a rotation needs: the services' keys, the new one first."""

    encryption_keys: EncryptionKeys = Field(min_length=1, repr=False)


@app.command("rotate-keys")
def rotate_keys_command(
    check: Annotated[
        bool, typer.Option("--check", help="Only count what is under which key; change nothing.")
    ] = False,
) -> None:
    """Re-encrypt every stored secret under the first key in ORCHESTRATOR_ENCRYPTION_KEYS.

    Services may keep running. Exit code 1 if values under other keys or in an older form remain.
    """
    settings = _settings(_KeySettings)
    encryption = Encryption(settings.encryption_keys)

    async def rotate(connection: asyncpg.Connection) -> list[KeyUse]:
        await check_version(connection)
        rotation = KeyRotation(connection, encryption)
        if not check:
            await rotation.run(_show_progress)
        return await rotation.uses()

    try:
        uses = _with_connection(settings, rotate)
    except SchemaOutdated as error:
        raise CommandFailure(str(error)) from None
    _tell_uses(uses, encryption.key_ids[0])


def _show_progress(table: str, rows: int) -> None:
    if rows:
        print(f"{table}: {counted(rows, 'row')} encrypted anew", flush=True)


def _tell_uses(uses: Sequence[KeyUse], first: str) -> None:
    """Say what is left under each key, and which keys nothing needs any more."""
    left = [use for use in uses if use.rows and (use.key, use.form) != (first, "v2")]
    for key in dict.fromkeys(use.key for use in uses if use.key is not None):
        rows = sum(sum(use.rows.values()) for use in uses if use.key == key)
        name = f"key {key}{' (the first)' if key == first else ''}"
        if rows or key == first:
            print(f"{name}: {counted(rows, 'row')}")
        else:
            print(f"{name}: no rows: remove it from ORCHESTRATOR_ENCRYPTION_KEYS of api and runner")
    if left:
        raise CommandFailure(
            "not everything is under the first key", details=[_what_to_do(use) for use in left]
        )
    print("everything is under the first key")


def _what_to_do(use: KeyUse) -> str:
    where = ", ".join(f"{table} ({counted(rows, 'row')})" for table, rows in use.rows.items())
    if use.key is None:
        return (
            f"in the form {use.form} under keys that are not set here, in {where}: enter these secrets again"
        )
    return (
        f"in the form {use.form} under the key {use.key}, in {where}: run `orchestrator db rotate-keys`; "
        "what is left after that cannot be decrypted where it is: enter these secrets again"
    )


@app.command("after-restore")
def after_restore_command(
    revoke_tokens: Annotated[
        bool,
        typer.Option(
            "--revoke-tokens", help="Revoke all API tokens: those revoked since the backup are back."
        ),
    ] = False,
    skip_missed_fires: Annotated[
        bool,
        typer.Option(
            "--skip-missed-fires", help="Let schedules go on from now instead of making up for missed fires."
        ),
    ] = False,
    even_if_in_use: Annotated[
        bool, typer.Option("--even-if-in-use", help="Do it even though the database is in use.")
    ] = False,
) -> None:
    """Make a restored database safe, before any service starts; safe to repeat.

    Ends sessions, links and leases, keeps runners from before the restore from writing, and sends again what
    was in transit when the backup was made.
    """
    settings = _settings(DatabaseSettings)
    choices = Choices(revoke_tokens, skip_missed_fires, even_if_in_use)

    async def settle_checked(connection: asyncpg.Connection) -> Settled:
        await check_version(connection)
        return await settle(connection, choices)

    try:
        settled = _with_connection(settings, settle_checked)
    except SchemaOutdated as error:
        raise CommandFailure(str(error)) from None
    _tell_settled(settled, choices)


def _tell_settled(settled: Settled, choices: Choices) -> None:
    print(f"ended {counted(settled.sessions, 'session')} and {counted(settled.links, 'link')}")
    print(f"fenced {counted(settled.jobs, 'unfinished job')} of {counted(settled.replicas, 'runner')}")
    _tell_sent_again(settled.sent_again)
    if choices.skip_missed_fires:
        print(f"{counted(settled.skipped_schedules, 'schedule')} will go on from now")
    if choices.revoke_tokens:
        print(f"revoked {counted(settled.revoked_tokens, 'token')}")
    elif settled.valid_tokens:
        print(
            f"note: {counted(settled.valid_tokens, 'valid token')}, including any revoked since the backup: "
            "revoke these again, or repeat this with --revoke-tokens"
        )


@app.command("after-broker-loss")
def after_broker_loss_command() -> None:
    """Send again what was in transit when RabbitMQ lost its data. Services may be running; safe to repeat."""
    settings = _settings(DatabaseSettings)

    async def send(connection: asyncpg.Connection) -> SentAgain:
        await check_version(connection)
        return await send_again(connection)

    try:
        _tell_sent_again(_with_connection(settings, send))
    except SchemaOutdated as error:
        raise CommandFailure(str(error)) from None


def _tell_sent_again(sent: SentAgain) -> None:
    print(
        f"to be sent again: {counted(sent.runs, 'requested run')}, "
        f"{counted(sent.fires, 'run')} of schedules and triggers, {counted(sent.updates, 'table update')}"
    )


_Settings = TypeVar("_Settings", bound=DatabaseSettings)


def _settings(kind: type[_Settings]) -> _Settings:
    try:
        return load_settings(kind)
    except SettingsError as error:
        raise BadInput(str(error)) from None


def _roles(settings: DatabaseSettings) -> Roles | None:
    return None if settings.database_roles == "single" else Roles.prefixed(settings.database_role_prefix)


def _password_variable(service: str) -> str:
    return f"ORCHESTRATOR_DATABASE_PASSWORD_{service.upper()}"


def _given_password(service: str) -> str | None:
    """From the environment or the file that it names."""
    try:
        return secret_of(_password_variable(service))
    except SecretFileError as error:
        raise BadInput(str(error)) from None


def _password(service: str) -> str:
    if value := _given_password(service):
        return value
    try:
        return getpass.getpass(f"password for {service}: ")
    except EOFError:
        variable = _password_variable(service)
        raise BadInput(f"cannot prompt for a password without a terminal; set {variable}") from None


def _with_connection(settings: DatabaseSettings, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async def connect_and_work() -> T:
        connection = await _connect(settings.database_url)
        try:
            return await work(connection)
        finally:
            await connection.close(timeout=2)

    try:
        return asyncio.run(connect_and_work())
    except SchemaOutdated:
        raise
    except OrchestratorError as error:
        raise CommandFailure(str(error)) from None


async def _connect(url: str) -> asyncpg.Connection:
    try:
        server = WritableServer(url, seconds=CONNECT_SECONDS)
        return await server.connect(command_timeout=COMMAND_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise Unreachable(f"ORCHESTRATOR_DATABASE_URL: cannot use the database: {reason}") from None
