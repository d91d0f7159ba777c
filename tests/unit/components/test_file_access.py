"""Files outside of the files directory stay out of reach."""

from pathlib import Path

import pytest

from orchestrator_components.contract import UserError
from orchestrator_components.file_access import allowed_path, prepare_parent


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "files"
    directory.mkdir()
    monkeypatch.setenv("ORCHESTRATOR_FILES_DIR", str(directory))
    return directory


def test_a_relative_path_lies_in_the_files_directory(base: Path) -> None:
    assert allowed_path("a/b.csv", field="source") == base / "a" / "b.csv"
    assert allowed_path(str(base / "b.csv"), field="source") == base / "b.csv"


def test_escapes_are_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (base / "link.csv").symlink_to(tmp_path / "secret.csv")
    (base / "folder").symlink_to(tmp_path)
    (base.parent / "files-too").mkdir()

    for text in (
        "../secret.csv",
        "link.csv",
        "folder/secret.csv",
        "/etc/passwd",
        "../files-too/a.csv",
        "a/../../x",
    ):
        with pytest.raises(UserError, match=r"source: .* is outside .*ORCHESTRATOR_FILES_DIR"):
            allowed_path(text, field="source")
    with pytest.raises(UserError, match="NUL"):
        allowed_path("a\0b", field="source")


def test_a_missing_folder_is_made_below_the_files_directory_only(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_parent(base / "a" / "b" / "c.csv", field="path")
    assert (base / "a" / "b").is_dir()

    monkeypatch.delenv("ORCHESTRATOR_FILES_DIR")
    with pytest.raises(UserError, match=r"path: the folder .* does not exist"):
        prepare_parent(tmp_path / "new" / "c.csv", field="path")
    assert not (tmp_path / "new").exists()
