"""Component command: what is allowed, and how its end is told."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_components.command import allowed_prefixes, how_it_ended, require_allowed
from orchestrator_components.contract import TERMINATED, UserError

PYTHON = [sys.executable, "-c"]


def start(folder: Path, argv: object, allowed: str | None = None) -> subprocess.Popen[str]:
    (folder / "config.json").write_text(json.dumps({"parameters": {"argv": argv}}))
    environment = {"PATH": os.defpath, "ORCHESTRATOR_DATA_DIR": str(folder)}
    environment["ORCHESTRATOR_ALLOWED_COMMANDS"] = json.dumps([PYTHON]) if allowed is None else allowed
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator_components.command"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(folder: Path, argv: object, allowed: str | None = None) -> tuple[int, str, list[str]]:
    with start(folder, argv, allowed) as process:
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err.splitlines()


def test_success_is_reported(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, [*PYTHON, "print('hello')"])

    assert (code, out) == (0, "hello\n")
    assert json.loads((tmp_path / "result.json").read_text())["message"] == f"{sys.executable} exited with 0"


def test_the_programs_own_result_is_kept(tmp_path: Path) -> None:
    run(tmp_path, [*PYTHON, f"open({str(tmp_path / 'result.json')!r}, 'w').write('{{}}')"])

    assert (tmp_path / "result.json").read_text() == "{}"


def test_a_failure_tells_the_code_and_the_last_words(tmp_path: Path) -> None:
    program = "import sys; print('first\\nlast words', file=sys.stderr); sys.exit(7)"

    code, _, err = run(tmp_path, [*PYTHON, program])

    assert code == 1
    assert err == ["first", "last words", f"{sys.executable} exited with 7: last words"]


def test_a_cut_last_line_is_not_told(tmp_path: Path) -> None:
    """Issue 8, 13: the end of a secret that the cut went through was no longer known as one."""
    program = "import sys; sys.stderr.write('secret' + '.' * 1997); sys.exit(7)"

    _, _, err = run(tmp_path, [*PYTHON, program])

    assert err[-1].endswith("its last line is too long to repeat here; see the log")
    assert "exited with 7" in err[-1]


def test_a_grandchild_that_keeps_stderr_open_holds_nobody_up(tmp_path: Path) -> None:
    program = "import subprocess, sys; print(subprocess.Popen(['sleep', '30'], stdout=2).pid); sys.exit(3)"

    with start(tmp_path, [*PYTHON, program]) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        try:
            assert process.wait(timeout=30) == 1
        finally:
            os.kill(grandchild, signal.SIGKILL)


def test_the_allow_list_is_no_business_of_the_program(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, [*PYTHON, "import os; print('ORCHESTRATOR_ALLOWED_COMMANDS' in os.environ)"])

    assert (code, out) == (0, "False\n")


@pytest.mark.parametrize(
    ("argv", "allowed", "message"),
    [
        (["rm", "-rf", "x"], '[["sleep"], ["/bin/echo", "a"]]', "rm is not allowed .* sleep; /bin/echo a"),
        (["/bin/echo", "b"], '[["/bin/echo", "a"]]', "not allowed"),
        (["sleep", "1"], "", "ORCHESTRATOR_ALLOWED_COMMANDS"),
        (["sleep", "1"], '["sleep"]', "must be a JSON list"),
        (["sleep", "1"], "[[]]", "allowed: nothing"),
    ],
)
def test_what_is_not_allowed_is_refused(argv: list[str], allowed: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_allowed(argv, allowed_prefixes(allowed))


@pytest.mark.parametrize("argv", [["sleep"], ["sleep", "1"], ["dbt", "run", "-s", "x"]])
def test_what_begins_like_an_entry_is_allowed(argv: list[str]) -> None:
    require_allowed(argv, allowed_prefixes('[["sleep"], ["dbt", "run"]]'))


def test_a_refusal_and_a_missing_program_are_user_errors(tmp_path: Path) -> None:
    assert run(tmp_path, ["rm"])[0] == 1
    code, _, err = run(tmp_path, ["no-such-program"], '[["no-such-program"]]')

    assert code == 1
    assert err == ["parameters.argv: cannot start no-such-program: No such file or directory"]


@pytest.mark.parametrize("argv", [[], [""], "sleep 1", ["a\0b"]])
def test_malformed_argv_is_a_user_error(tmp_path: Path, argv: object) -> None:
    code, _, err = run(tmp_path, argv)

    assert code == 1
    assert err[-1].startswith("parameters.argv")


def test_sigterm_reaches_the_program(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('tidied up'))\n"
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    with start(tmp_path, [*PYTHON, program]) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.terminate()
        _, err = process.communicate(timeout=15)

    assert process.returncode == TERMINATED
    assert "tidied up" in err
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_signal_is_named() -> None:
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(2) == "exited with 2"
