"""The data of a local stack: where it really is, and how to remove all of it."""

import shutil

from orchestrator_local.servers.account import reachable_folder, unprivileged_account
from orchestrator_local.stack.layout import Layout

PASSWORD_FILE = "superuser-password"  # noqa: S105  # the file's name


def remove_orphaned_database(layout: Layout) -> bool:
    """Database files are kept elsewhere if their account cannot reach the state folder (root's home). Once
    the state folder is deleted, password and keys are gone and the files are useless."""
    if (layout.postgres / PASSWORD_FILE).exists():
        return False
    elsewhere = reachable_folder(unprivileged_account(), layout.postgres)
    if elsewhere == layout.postgres or not any(elsewhere.iterdir()):
        return False
    shutil.rmtree(elsewhere)
    return True


def remove_all(layout: Layout) -> None:
    """Remove the whole state folder, and its database files if they are kept elsewhere."""
    (layout.postgres / PASSWORD_FILE).unlink(missing_ok=True)
    remove_orphaned_database(layout)
    shutil.rmtree(layout.root, ignore_errors=True)
