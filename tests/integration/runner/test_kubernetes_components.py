"""Built-in components as Jobs: their documents, as the command line registers them for a cluster."""

import asyncio
import os
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
import yaml
from tests.support.kubernetes_harness import IMAGE, KubernetesHarness

from orchestrator_cli.commands.components import in_kubernetes
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

DEFINITIONS = Path(str(resources.files("orchestrator_components") / "definitions"))


async def test_a_built_in_component_runs_in_its_container(
    kubernetes: KubernetesHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    document = in_kubernetes(yaml.safe_load((DEFINITIONS / "csv-extractor.yaml").read_text()), IMAGE)
    parameters = {
        "source": "sample:nycflights-airlines.csv.gz",
        "table": "in.c-a.b",
        "columns": {"carrier": "text"},
        "connection": "postgresql://u:p@127.0.0.1:1/w",
    }

    execution = replace(
        kubernetes.execution(section=document["kubernetes"]), config={"parameters": parameters}
    )
    outcome = await kubernetes.executor.run(execution, kubernetes.log, asyncio.Event())

    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
    assert outcome.message.startswith("#connection: cannot connect")
