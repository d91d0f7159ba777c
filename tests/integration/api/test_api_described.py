"""Fault 18 of issue 8: schemathesis holds the real api against its own description, with every check on.

`TEST_FUZZ_EXAMPLES` makes it longer; the seed is fixed, so that a failure comes again.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from tests.integration.api.conftest import ADMIN_EMAIL, ADMIN_TOKEN, COMPONENT, KEY
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess

EXAMPLES = int(os.environ.get("TEST_FUZZ_EXAMPLES", "10"))
SETTINGS = Path(__file__).parent / "schemathesis.toml"
SEED = os.environ.get("TEST_SEED", "8")
BOUND = 300 if EXAMPLES <= 10 else 3600
"""Seconds; ten times what it takes on a quiet machine."""


@pytest.mark.timeout(BOUND + 60)
async def test_what_the_api_does_is_what_it_says(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> None:
    environment = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
        "ORCHESTRATOR_WRONG_TOKENS_PER_MINUTE": "10000",
    }
    service = service_process("orchestrator_api", environment)
    await service.ready()
    await _furnish(service.url)
    done = fuzzed(service.url, tmp_path)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


async def _furnish(url: str) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        await http.post("/v1/projects", json={"id": "demo"})
        await http.put("/v1/components/demo-extractor", json=COMPONENT)
        at = "/v1/projects/demo"
        await http.put(f"{at}/configurations/demo-extractor/one", json={})
        await http.put(f"{at}/orchestrations/daily", json={"phases": []})


def fuzzed(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One bounded run, which leaves its files in the folder."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS)),
        *("run", f"{url}/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {ADMIN_TOKEN}"),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", str(EXAMPLES), "--seed", SEED, "--generation-deterministic"),
        *("--no-color", "--no-shrink", "--continue-on-failure"),
        *("--suppress-health-check", "all", "--request-timeout", "30"),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BOUND, check=False)
