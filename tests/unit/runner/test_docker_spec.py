"""What an attempt becomes on a Docker engine: the container's spec, its files, and what its end means."""

import base64
import io
import json
import tarfile
from typing import Any
from uuid import UUID

import pytest

from orchestrator_runner.executors.docker.archive import (
    MOST_BYTES,
    STAT_HEADER,
    UnusableFile,
    check_regular,
    file_of,
    input_archive,
)
from orchestrator_runner.executors.docker.engine import EngineAddress
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.docker.spec import attempt_of, container_name, create_body
from orchestrator_runner.executors.docker.state import Container, decide_end
from orchestrator_runner.executors.outcome import Report
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.domain.images import parse_image
from orchestrator_shared.domain.reports import MAX_FILE_BYTES
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

JOB = UUID(int=7)
IMAGE = "registry.example.com/team/loader@sha256:" + "a" * 64


def execution(**fields: Any) -> Execution:
    given = {
        "environment": {"PATH": "/runner/bin", "ORCHESTRATOR_FILES_DIR": "/files/demo", "A": "b"},
        "config": {"component": "c", "configuration": "a", "parameters": {"say": "kůň"}},
        **fields,
    }
    return Execution(JOB, 2, (), **given)


def body(**section: Any) -> dict[str, Any]:
    component = DockerComponent.model_validate({"image": IMAGE, **section})
    return create_body(component, parse_image(IMAGE), execution(), installation="test", log_bytes=1000)


def test_a_container_has_limits_and_no_rights() -> None:
    host = body(memory_mb=100, cpus=0.5, pids=50, network="loaders")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (100 * 1024 * 1024,) * 2
    assert (host["NanoCpus"], host["PidsLimit"], host["NetworkMode"]) == (500_000_000, 50, "loaders")
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert "Binds" not in host
    assert [mount["Type"] for mount in host["Mounts"]] == ["volume"]
    assert "Source" not in host["Mounts"][0]
    assert body()["User"] == "65532:65532"


def test_it_is_found_by_its_name_and_labels() -> None:
    assert container_name("test", JOB, 2) == f"test-{JOB}-2"
    labels = body()["Labels"]
    assert labels["orchestrator.installation"] == "test"
    assert attempt_of(labels) == (JOB, 2)
    assert body()["HostConfig"]["Mounts"][0]["VolumeOptions"]["Labels"] == labels
    assert attempt_of({}) is None
    assert attempt_of({**labels, "orchestrator.job": "x"}) is None


def test_the_environment_has_nothing_of_the_runners_host() -> None:
    values = dict(entry.split("=", 1) for entry in body()["Env"])
    assert values == {
        "A": "b",
        "HOME": "/orchestrator/data",
        "TMPDIR": "/tmp",
        "USER": "orchestrator-task",
        "ORCHESTRATOR_DATA_DIR": "/orchestrator/data",
    }
    assert "PATH=/own" in body(environment={"PATH": "/own"})["Env"]


def test_without_a_command_the_image_decides_what_runs() -> None:
    assert "Entrypoint" not in body()
    assert "Cmd" not in body()
    given = body(command=["sh", "-c", "x"])
    assert (given["Entrypoint"], given["Cmd"]) == (["sh", "-c", "x"], [])


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"image": "loader:1"}, "has no digest"),
        ({"user": 0}, "greater than or equal to 1"),
        ({"network": "host"}, "not allowed"),
        ({"network": "container:other/x"}, "expected the name of a network"),
        ({"environment": {"A=B": "c"}}, "not the name of a variable"),
        ({"command": [""]}, "the program is empty"),
        ({"privileged": True}, "Extra inputs"),
        ({"start_timeout": "0s"}, "greater than or equal to 1"),
        ({"memory_mb": 1}, "greater than or equal to 16"),
    ],
)
def test_a_section_that_asks_for_too_much_is_refused(section: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DockerComponent.model_validate({"image": IMAGE, **section})


def test_a_stored_section_reads_as_a_written_one() -> None:
    written = DockerComponent.model_validate({"image": IMAGE, "start_timeout": "2m"})
    assert written.start_timeout_seconds == 120
    assert DockerComponent.model_validate(written.model_dump()) == written


def test_files_belong_to_the_program_alone() -> None:
    packed = input_archive(execution(state={"runs": 1}), 1234)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {entry.name: (entry.uid, entry.gid, entry.mode) for entry in archive}
        config = archive.extractfile("data/config.json")
        assert config is not None
        assert json.load(config)["parameters"] == {"say": "kůň"}
    assert found == {
        "data": (1234, 1234, 0o700),
        "data/config.json": (1234, 1234, 0o600),
        "data/state.json": (1234, 1234, 0o600),
    }


def archive_of(kind: bytes, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("result.json")
        entry.type, entry.size, entry.linkname = kind, len(content), "/etc/passwd"
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_only_a_regular_file_is_a_report(kind: bytes) -> None:
    with pytest.raises(UnusableFile):
        file_of(archive_of(kind))
    assert file_of(archive_of(tarfile.REGTYPE, b"{}")) == b"{}"


def test_a_file_that_is_too_large_stays_too_large() -> None:
    assert len(file_of(b"x" * (MOST_BYTES + 1))) > MAX_FILE_BYTES
    assert len(file_of(archive_of(tarfile.REGTYPE, b"x" * (MAX_FILE_BYTES + 1)))) > MAX_FILE_BYTES


@pytest.mark.parametrize(
    ("mode", "is_regular"),
    [(0o600, True), (1 << 27 | 0o777, False), (1 << 31 | 0o700, False), (1 << 25, False)],
)
def test_the_engines_description_tells_what_a_file_is(mode: int, is_regular: bool) -> None:
    headers = {STAT_HEADER: base64.b64encode(json.dumps({"mode": mode}).encode()).decode()}
    if is_regular:
        check_regular(headers)
        return
    with pytest.raises(UnusableFile):
        check_regular(headers)
    with pytest.raises(UnusableFile):
        check_regular({})


@pytest.mark.parametrize(
    ("state", "line", "kind", "message"),
    [
        ({"ExitCode": 0}, "", None, ""),
        ({"ExitCode": 1}, "no such column", ErrorKind.USER, "no such column"),
        ({"ExitCode": 7}, "", ErrorKind.INTERNAL, "exited with 7"),
        ({"ExitCode": 137}, "", ErrorKind.INTERNAL, "exited with 137 (SIGKILL)"),
        (
            {"ExitCode": 137, "OOMKilled": True},
            "",
            ErrorKind.INTERNAL,
            "out of memory: the container reached its limit of 64 MB (docker.memory_mb)",
        ),
        (
            {"ExitCode": 1, "OOMKilled": True},
            "child died",
            ErrorKind.INTERNAL,
            "out of memory: the container reached its limit of 64 MB (docker.memory_mb): child died",
        ),
        ({"ExitCode": 0, "OOMKilled": True}, "", None, ""),
        (
            {"ExitCode": 128, "Error": "no disk"},
            "",
            ErrorKind.INTERNAL,
            "the engine ended the container: no disk",
        ),
    ],
)
def test_what_the_end_of_a_container_means(
    state: dict[str, Any], line: str, kind: ErrorKind | None, message: str
) -> None:
    container = Container.of({"Id": "x", "State": {"Status": "exited", **state}})
    assert container.has_ended
    outcome = decide_end(container, Report(), last_error_line=line, memory_mb=64, timeout_seconds=None)
    assert (outcome.error_kind, outcome.message) == (kind, message)
    assert outcome.status is (JobStatus.SUCCESS if kind is None else JobStatus.ERROR)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///var/run/docker.sock", EngineAddress(socket="/var/run/docker.sock")),
        ("tcp://proxy:2376", EngineAddress(host="proxy", port=2376)),
        ("tcp://proxy", EngineAddress(host="proxy", port=2375)),
        ("http://proxy", None),
        ("unix://docker.sock", None),
        ("tcp://me:secret@proxy", None),
        ("docker.sock", None),
        ("tcp://proxy:99999", None),
    ],
)
def test_where_an_engine_listens(url: str, expected: EngineAddress | None) -> None:
    if expected is not None:
        assert EngineAddress.parse(url) == expected
        return
    with pytest.raises(ValueError):
        EngineAddress.parse(url)


def test_a_registry_gets_its_own_credentials_only() -> None:
    auth = base64.b64encode(b"me:secret").decode()
    registries = Registries.parse(json.dumps({"auths": {"registry.example.com": {"auth": auth}}}))
    header = registries.header_for(parse_image(IMAGE))["X-Registry-Auth"]
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "username": "me",
        "password": "secret",
        "serveraddress": "registry.example.com",
    }
    assert registries.header_for(parse_image("python@sha256:" + "a" * 64)) == {}
    assert "secret" not in repr(registries)
    hub = Registries.parse(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}}))
    assert hub.header_for(parse_image("python@sha256:" + "a" * 64))
    assert hub.header_for(parse_image(IMAGE)) == {}
    for text in ("", "{}", '{"auths": []}', '{"auths": {"r": {}}}', '{"auths": {"r": {"auth": "?"}}}'):
        with pytest.raises(ValueError, match="expected what docker login writes"):
            Registries.parse(text)
