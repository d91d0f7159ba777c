"""The list of commands: it agrees with the commands, and shows them without importing them."""

import subprocess
import sys

import pytest
import typer

from orchestrator_cli.lazy_commands import PLACES, LazyCommand, Place
from orchestrator_cli.main import app

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


def test_a_typing_error_is_answered_with_the_nearest_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        typer.main.get_command(app)(args=["jbos"])
    assert "Did you mean 'jobs'" in capsys.readouterr().err
