"""Services whose settings are wrong or whose servers are away say which variable, and end."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import httpx
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import ENCRYPTION_KEY
from tests.support.service_process import ServiceProcess
from tests.support.stack_settings import LINK_KEY, MODULES
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port
from orchestrator_shared.database.migrations import migrate
from orchestrator_shared.database.roles import Roles, create_roles
from orchestrator_shared.domain.ids import new_id

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]
SECRET = "a-secret-that-nobody-may-see"


def environment(name: str, database_url: str, amqp_url: str) -> dict[str, str]:
    env = {
        "ORCHESTRATOR_DATABASE_URL": database_url,
        "ORCHESTRATOR_AMQP_URL": amqp_url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_STARTUP_TIMEOUT_SECONDS": "1",
    }
    if name in ("api", "notifier"):
        env["ORCHESTRATOR_LINK_KEY"] = LINK_KEY
    if name == "notifier":
        env |= {"ORCHESTRATOR_SMTP_HOST": "127.0.0.1", "ORCHESTRATOR_MAIL_FROM": "o@example.com"}
    return env


async def all_end(launch: Launch, environments: Mapping[str, Mapping[str, str]], code: int) -> dict[str, str]:
    """Start all five at once; returns what each said before it ended with this exit code."""
    services = {name: launch(MODULES[name], env) for name, env in environments.items()}
    codes = await asyncio.gather(*(service.ended(60) for service in services.values()))
    said = {name: service.log.read_text() for name, service in services.items()}
    assert dict(zip(services, codes, strict=True)) == dict.fromkeys(services, code), said
    for name, text in said.items():
        assert SECRET not in text, name
        assert "Traceback" not in text, text
    return said


async def test_an_unreachable_database_is_named(service_process: Launch, broker: BrokerVhost) -> None:
    url = f"postgresql://somebody:{SECRET}@127.0.0.1:{free_port()}/nowhere"
    environments = {name: environment(name, url, broker.url) for name in MODULES}

    for name, text in (await all_end(service_process, environments, 1)).items():
        assert "ORCHESTRATOR_DATABASE_URL" in text, name
        assert url.rpartition("@")[2].partition("/")[0] in text, name


async def test_a_database_without_our_schema_is_told_what_to_do(
    service_process: Launch, empty_database: Database, broker: BrokerVhost
) -> None:
    environments = {name: environment(name, empty_database.url, broker.url) for name in ("api", "runner")}

    for name, text in (await all_end(service_process, environments, 1)).items():
        assert "orchestrator db migrate" in text, name


async def test_a_service_waits_for_its_role_and_then_for_the_migrations(
    service_process: Launch, empty_database: Database, broker: BrokerVhost
) -> None:
    """In a cluster it starts beside the job that makes both."""
    roles = Roles.prefixed(f"t_{new_id().hex[-12:]}_")
    scheme, _, address = empty_database.url.rpartition("@")
    url = f"{scheme.partition('://')[0]}://{roles.scheduler}:{SECRET}@{address}"
    settings = environment("scheduler", url, broker.url) | {"ORCHESTRATOR_STARTUP_TIMEOUT_SECONDS": "60"}
    service = service_process(MODULES["scheduler"], settings)
    await eventually(lambda: service.log.exists() and "start.waiting" in service.log.read_text())
    owner = await asyncpg.connect(empty_database.url)
    await create_roles(owner, roles, dict.fromkeys(roles.by_service(), SECRET))
    await eventually(lambda: "orchestrator db migrate" in service.log.read_text())

    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=30) as client:
        answers = [(await client.get(path)).status_code for path in ("/livez", "/readyz")]
    await migrate(owner, roles)

    assert answers == [200, 503]
    await service.ready()
    service.terminate()
    assert await service.ended() == 0
    for role in roles.by_service().values():
        await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await owner.close(timeout=5)


async def test_an_unreachable_broker_is_named(service_process: Launch, database: Database) -> None:
    url = f"amqp://somebody:{SECRET}@127.0.0.1:{free_port()}/"
    environments = {
        name: environment(name, database.url_for(name.replace("-", "_")), url) for name in MODULES
    }

    for name, text in (await all_end(service_process, environments, 1)).items():
        assert "ORCHESTRATOR_AMQP_URL" in text, name


async def test_a_refused_password_is_named(
    service_process: Launch, database: Database, broker: BrokerVhost
) -> None:
    wrong = broker.url.replace(broker.url.partition("@")[0].rpartition(":")[2], SECRET)
    environments = {"scheduler": environment("scheduler", database.url_for("scheduler"), wrong)}

    for text in (await all_end(service_process, environments, 1)).values():
        assert "ORCHESTRATOR_AMQP_URL" in text


async def test_wrong_settings_are_all_named_at_once(service_process: Launch) -> None:
    wrong = {
        "ORCHESTRATOR_DATABASE_URL": f"mysql://x:{SECRET}@h/d",
        "ORCHESTRATOR_AMQP_URL": f"http://x:{SECRET}@h",
        "ORCHESTRATOR_LOG_LEVEL": "loud",
        "ORCHESTRATOR_ENCRYPTION_KEYS": SECRET,
    }
    environments = {name: {**environment(name, "", ""), **wrong} for name in MODULES}

    for name, text in (await all_end(service_process, environments, 2)).items():
        has_key = name in ("api", "runner")  # the others do not look at it
        expected = [each for each in wrong if has_key or "ENCRYPTION" not in each]
        assert [variable for variable in wrong if variable in text] == expected, (name, text)


async def test_missing_settings_are_named(service_process: Launch) -> None:
    said = await all_end(service_process, {"notifier": {}}, 2)
    for variable in ("DATABASE_URL", "AMQP_URL", "LINK_KEY", "SMTP_HOST", "MAIL_FROM"):
        assert f"ORCHESTRATOR_{variable}: is not set" in said["notifier"]
