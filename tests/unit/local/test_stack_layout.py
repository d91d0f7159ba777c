"""Issue 8, 10: the state folder of a local stack is closed, also one that an earlier release left open."""

import os
from pathlib import Path

from orchestrator_local.stack.layout import Layout


def test_what_was_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "state")
    for folder in (layout.logs, layout.files / "reports", layout.work, layout.root / "old"):
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    layout.root.chmod(0o755)
    for file in (layout.record, layout.lock, layout.files / "a.csv"):
        file.touch(mode=0o644)
    (layout.root / "link").symlink_to(tmp_path)

    layout.prepare()
    layout.prepare()

    passed = 0o711 if os.geteuid() == 0 else 0o700
    assert {folder.stat().st_mode & 0o777 for folder in (layout.root, layout.files, layout.work)} == {passed}
    closed = (layout.logs, layout.mails, layout.ports, layout.files / "reports", layout.root / "old")
    assert {folder.stat().st_mode & 0o777 for folder in closed} == {0o700}
    files = (layout.record, layout.lock, layout.files / "a.csv")
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
