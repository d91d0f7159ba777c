"""The data of a local stack: where it really lies, and removing all of it."""

import shutil

from orchestrator_local.servers.account import reachable_folder, unprivileged_account
from orchestrator_local.stack.layout import Layout

PASSWORD_FILE = "superuser-password"  # noqa: S105  # the file's name


def remove_orphaned_database(layout: Layout) -> bool:
    """Database files may lie outside of a state folder that its account cannot reach (root's home). Once
    somebody has removed the folder, password and keys are gone and nobody can use them any more."""
    if (layout.postgres / PASSWORD_FILE).exists():
        return False
    elsewhere = reachable_folder(unprivileged_account(), layout.postgres)
    if elsewhere == layout.postgres or not any(elsewhere.iterdir()):
        return False
    shutil.rmtree(elsewhere)
    return True


def remove_all(layout: Layout) -> None:
    """The whole state folder, and the database files that stand for it elsewhere."""
    (layout.postgres / PASSWORD_FILE).unlink(missing_ok=True)
    remove_orphaned_database(layout)
    shutil.rmtree(layout.root, ignore_errors=True)
