"""Debian's Prometheus, and its exporter for PostgreSQL, as private servers of one test."""

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from orchestrator_local.servers.install import find_postgres_exporter, find_prometheus
from orchestrator_local.servers.processes import free_port, open_private, reap, tail, wait_until

READY_SECONDS = 30


def required(program: Path | None, name: str) -> Path:
    """Skips at home what is not installed; `make test` installs it."""
    if program is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed: python -m orchestrator_local.servers.install {name}")
    assert program is not None, name
    return program


@contextlib.contextmanager
def _running(argv: Sequence[str], log: Path, url: str, **environment: str) -> Iterator[None]:
    with open_private(log) as output:
        process = subprocess.Popen(
            argv,
            cwd=log.parent,
            env={"PATH": os.environ["PATH"], "GOMAXPROCS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        ready = wait_until(lambda: _answers(url) or process.poll() is not None, READY_SECONDS)
        assert ready, f"{argv[0]} does not answer:\n{tail(log)}"
        assert process.poll() is None, f"{argv[0]} ended:\n{tail(log)}"
        yield
    finally:
        process.terminate()
        reap(process)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def postgres_exporter(folder: Path, database_url: str) -> Iterator[str]:
    """Yields host and port of the exporter's metrics."""
    program = required(find_postgres_exporter(), "postgres-exporter")
    address = f"127.0.0.1:{free_port()}"
    source = f"{database_url}?sslmode=disable"
    argv = [str(program), f"--web.listen-address={address}", "--log.level=error"]
    with _running(argv, folder / "exporter.log", f"http://{address}/metrics", DATA_SOURCE_NAME=source):
        yield address


class Prometheus:
    """Asks what Grafana would ask."""

    def __init__(self, url: str) -> None:
        self.url = url

    def last(self, expression: str) -> list[dict[str, Any]]:
        """Series with their value now."""
        return self._series("query", query=expression)

    def over_time(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """Series with a value for each second."""
        return self._series("query_range", query=expression, start=start, end=end, step=1)

    def label_values(self, label: str, selector: str) -> list[str]:
        return list(self._asked(f"label/{label}/values", **{"match[]": selector}))

    def reached(self) -> dict[str, str]:
        """How the last scrape of each target went; targets appear seconds after the start."""
        return {
            target["labels"]["job"]: target["lastError"] or target["health"]
            for target in self._asked("targets")["activeTargets"]
        }

    def _series(self, kind: str, **parameters: Any) -> list[dict[str, Any]]:
        return list(self._asked(kind, **parameters)["result"])

    def _asked(self, kind: str, **parameters: Any) -> Any:
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{kind}?{urlencode(parameters)}", timeout=20
            ) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error


@contextlib.contextmanager
def prometheus(
    folder: Path, jobs: Sequence[Mapping[str, Any]], rules: Sequence[Path] = ()
) -> Iterator[Prometheus]:
    """Scrapes and evaluates rules every second."""
    program = required(find_prometheus(), "prometheus")
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(file) for file in rules],
        "scrape_configs": list(jobs),
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    address = f"127.0.0.1:{free_port()}"
    argv = [
        str(program),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with _running(argv, folder / "prometheus.log", f"http://{address}/-/ready"):
        yield Prometheus(f"http://{address}")
