"""Commands that `dev` and `demo` suggest carry the `--state-dir` in use."""

from pathlib import Path

import pytest

from orchestrator_cli.context import Context, write_context
from orchestrator_local.commands import demo
from orchestrator_local.commands.dev import where_to_look
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.record import ProcessEntry, StackRecord

RECORD = StackRecord(ProcessEntry(1, "now"), url="http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def suggested(folder: Path) -> str:
    return "\n".join(where_to_look(Layout.at(folder), RECORD))


def test_the_default_folder_needs_no_option() -> None:
    told = suggested(Path(".orchestrator"))
    assert told.endswith("orchestrator dev down")
    assert "`orchestrator dev mails`" in told
    assert "--state-dir" not in told


def test_another_folder_is_named_in_every_command(here: Path) -> None:
    option = f"--state-dir '{here}/other stack'"
    told = suggested(Path("other stack"))
    assert told.endswith(f"orchestrator dev down {option}")
    assert f"`orchestrator dev mails {option}`" in told
    assert f"orchestrator dev context {option}" in told


def test_the_demo_names_the_folder_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_set_warehouse", lambda *_: None)
    (here / "Makefile").touch()
    for folder, expected in (
        ("other", f"demo --down --state-dir {here}/other"),
        (".orchestrator", "make down"),
    ):
        layout = Layout.at(Path(folder))
        layout.root.mkdir()
        write_context(layout.root, Context("http://127.0.0.1:1", "token", "demo"))
        setting = demo._local(layout, "demo")
        assert expected in setting.end
        assert ("make down" in setting.end) == (folder == ".orchestrator")
