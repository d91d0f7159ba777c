"""Issue 8, 8: what a service was told through its environment cannot be read from /proc."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.end_to_end.test_bad_start import SECRET, environment
from tests.support.servers import REPOSITORY
from tests.support.service_process import ServiceProcess
from tests.support.stack_settings import MODULES
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port

pytestmark = pytest.mark.usefixtures("services_afresh")
Launch = Callable[[str, Mapping[str, str]], ServiceProcess]
NOBODY = 65534
SYSTEM_PYTHON = Path("/usr/bin/python3")

LOOK_AT_SERVICE = """
import os, subprocess, sys
program = (
    "import sys; from orchestrator_shared.runtime.private_environment import hide_environment; "
    "hide_environment(); import os; print(os.environ['TOLD'], os.getpid(), flush=True); sys.stdin.read()"
)
service = subprocess.Popen([sys.executable, "-S", "-c", program], stdin=-1, stdout=-1, text=True)
print(service.stdout.readline().split()[0], end=" ")
for name in ("environ", "mem", "maps", "fd"):
    try:
        path = f"/proc/{service.pid}/{name}"
        os.listdir(path) if name == "fd" else open(path, "rb").read(1)
        print("readable", end=" ")
    except PermissionError:
        print("closed", end=" ")
service.communicate("")
"""

LOOK_AT_KEEPER = """
import os, socket, subprocess, sys
ours, theirs = socket.socketpair()
argv = [sys.executable, "-S", "-P", "-m", "orchestrator_runner.keeper", str(theirs.fileno()), "1"]
keeper = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
theirs.close()
ours.recv(4096)
try:
    print("readable" if open(f"/proc/{keeper.pid}/environ", "rb").read(1) else "empty")
except PermissionError:
    print("closed")
ours.close()
keeper.wait(10)
"""


@pytest.mark.parametrize("name", MODULES)
async def test_no_service_shows_its_secrets(service_process: Launch, name: str) -> None:
    url = f"postgresql://somebody:{SECRET}@127.0.0.1:{free_port()}/nowhere"
    told = environment(name, url, f"amqp://somebody:{SECRET}@127.0.0.1:{free_port()}/")
    told |= {"ORCHESTRATOR_STARTUP_TIMEOUT_SECONDS": "60", "OF_A_COMPONENT": SECRET}
    service = service_process(MODULES[name], told)
    await eventually(lambda: service.log.exists() and "http.listening" in service.log.read_text(), 30)

    shown = Path(f"/proc/{service.pid}/environ").read_bytes()

    assert SECRET.encode() not in shown
    assert told["ORCHESTRATOR_ENCRYPTION_KEYS"].encode() not in shown
    assert {entry.partition(b"=")[0] for entry in shown.split(b"\0")} >= {b"PATH", b"PYTHONPATH"}


@pytest.mark.skipif(os.geteuid() != 0 or not SYSTEM_PYTHON.exists(), reason="takes root and a system Python")
@pytest.mark.parametrize(
    ("program", "said"),
    [(LOOK_AT_SERVICE, "s3cret closed closed closed closed"), (LOOK_AT_KEEPER, "closed")],
    ids=["service", "keeper"],
)
def test_others_of_the_same_user_may_not_look_in(program: str, said: str, tmp_path: Path) -> None:
    """As nobody, who has no right to look past what the kernel forbids; root always may."""
    sources = [REPOSITORY / "shared" / "src", REPOSITORY / "services" / "runner" / "src"]
    if any(not os.stat(folder).st_mode & 0o001 for source in sources for folder in (source, *source.parents)):
        pytest.skip("nobody cannot reach the sources")
    if subprocess.run([SYSTEM_PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode:
        pytest.skip("the system's Python is too old")
    done = subprocess.run(
        [SYSTEM_PYTHON, "-S", "-B", "-c", program],
        env={"PATH": os.defpath, "PYTHONPATH": ":".join(map(str, sources)), "TOLD": "s3cret"},
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == said, done.stderr


def test_a_service_keeps_its_interpreter_and_arguments() -> None:
    program = (
        "from orchestrator_shared.runtime.private_environment import hide_environment; hide_environment(); "
        "import sys, os; print(sys.executable, sys.argv[1:], sys.flags.utf8_mode, os.environ['TOLD'], "
        "b'TOLD' in open('/proc/self/environ', 'rb').read())"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program, "a b", ""],
        env={**os.environ, "TOLD": "a=b\nc"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.rstrip("\n") == f"{sys.executable} ['a b', ''] 1 a=b\nc False"
