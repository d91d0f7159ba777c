"""Finding adopted children, on kernels with and without a list of them."""

import subprocess
import sys
from pathlib import Path

from orchestrator_runner.keeper.processes import Census, ProcessTree, read_process

# A subreaper of its own: orphans become its children, not init's.
SUBREAPER = """
import os, subprocess, sys
from orchestrator_runner.keeper.processes import Census, ProcessTree, become_subreaper
become_subreaper()
census = Census("/nonexistent")
started = subprocess.Popen(["sleep", "600"])
seen = [census.has_adopted({started.pid})]
orphan = int(subprocess.check_output(["sh", "-c", "setsid sleep 600 > /dev/null 2>&1 & echo $!"]))
seen += [census.has_adopted({started.pid}), census.has_adopted({started.pid, orphan})]
os.kill(orphan, 9)
os.waitpid(orphan, 0)
seen += [census.has_adopted({started.pid})]
seen += [[child.pid for child in ProcessTree(os.getpid()).children] == [started.pid]]
started.kill()
started.wait()
print(seen)
"""


def test_by_searching_the_process_table() -> None:
    output = subprocess.check_output([sys.executable, "-c", SUBREAPER], timeout=20, text=True)
    assert output.strip() == "[False, True, False, False, True]"


def test_by_the_kernels_list(tmp_path: Path) -> None:
    children = tmp_path / "children"
    children.write_text("12 34 ")
    census = Census(str(children))
    assert (census.has_adopted({12}), census.has_adopted({12, 34, 56})) == (True, False)


def test_a_process_may_call_itself_what_it_likes(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o700)
    with subprocess.Popen([program], stdin=subprocess.PIPE, start_new_session=True) as process:
        found = read_process(process.pid)
        assert found is not None
        assert (found.group, found.session) == (process.pid, process.pid)
        assert [child.pid for child in ProcessTree(found.parent).children].count(process.pid) == 1
        process.communicate(b"\n", timeout=30)
