"""The list of commands: it agrees with the commands, and shows them without importing them."""

import subprocess
import sys

import pytest
import typer

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.lazy_commands import LOCAL, PLACES, LazyCommand, Place
from orchestrator_cli.main import app, main

REPORT = "import sys; from orchestrator_cli.main import main; main({arguments!r}); print(*sys.modules)"


def loaded_after(arguments: list[str]) -> set[str]:
    """The modules that a process has imported after a command line."""
    argv = [sys.executable, "-c", REPORT.format(arguments=arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_command_has_the_help_that_the_list_shows(place: Place) -> None:
    command = LazyCommand(place).load()
    assert command.name == place.name
    assert command.get_short_help_str(200) == LazyCommand(place).get_short_help_str(200)


def test_the_list_of_commands_imports_none_of_them() -> None:
    assert not [name for name in loaded_after(["--help"]) if name.startswith("orchestrator_cli.commands.")]


def test_a_command_imports_its_own_module_only() -> None:
    found = loaded_after(["dead-letters", "--help"])
    commands = {name for name in found if name.startswith("orchestrator_cli.commands.")}
    assert commands == {"orchestrator_cli.commands.dead_letters", "orchestrator_cli.commands.options"}


def test_help_lists_every_command_with_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app(args=["--help"])
    lines = capsys.readouterr().out.splitlines()
    for place in PLACES:
        assert [line for line in lines if line.split() and line.split()[0] == place.name and line.split()[1:]]


def test_completion_offers_commands_and_what_is_below_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def completed(words: str) -> list[str]:
        monkeypatch.setenv("_ORCHESTRATOR_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        with pytest.raises(SystemExit):
            app(prog_name="orchestrator")
        return capsys.readouterr().out.split()

    assert completed("orchestrator d") == ["dev", "db", "dead-letters", "diff", "deliveries", "demo"]
    assert completed("orchestrator dead-letters ") == ["list", "replay", "drop"]
    assert completed("orchestrator backfill --s") == ["--schedule"]
    assert completed("orchestrator jobs list --output ") == ["table", "json"]


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --command")]
)
def test_the_script_for_a_shell(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == ExitCode.OK
    script = capsys.readouterr().out
    assert word in script
    assert "_ORCHESTRATOR_COMPLETE" in script
    assert main(["completion", "tcsh"]) == ExitCode.BAD_INPUT
    assert "expected bash, zsh, fish" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["dev", "demo"])
def test_a_missing_local_stack_is_named(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without_local_stack(monkeypatch)
    assert main([command, "--help"]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert f"`orchestrator {command}` needs the local stack" in said
    assert "install the package orchestrator-local" in said


def test_completion_is_silent_about_a_missing_local_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without_local_stack(monkeypatch)
    for name, value in (("_ORCHESTRATOR_COMPLETE", "complete_bash"), ("COMP_CWORD", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMP_WORDS", "orchestrator dev ")
    main([])
    said = capsys.readouterr()
    assert (said.out.strip(), said.err) == ("", "")


class _NotInstalled:
    """An import of the local stack finds nothing."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == LOCAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _without_local_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if f"{name}.".startswith(f"{LOCAL}.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_NotInstalled(), *sys.meta_path])


def test_a_typing_error_is_answered_with_the_nearest_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        typer.main.get_command(app)(args=["jbos"])
    assert "Did you mean 'jobs'" in capsys.readouterr().err
