"""The folder in which the components of one project read and write files, and no other project's do."""

import errno
import os
import stat


def prepare_project_folder(path: str, user: int | None = None) -> None:
    """Make it where it is missing; raises OSError where something else stands in its place.

    Where tasks have users of their own, it becomes that user's with everything that was put into it.
    """
    try:
        os.makedirs(path, 0o777 if user is None else 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise OSError(errno.ENOTDIR, "is not a folder of its own", path) from None
    if user is None:
        return
    if os.lstat(path).st_uid != user:
        os.chmod(path, 0o700)
        _hand_over(path, user)
        return
    for entry in os.scandir(path):  # what an administrator has added since
        if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
            _hand_over(entry.path, user)


def _hand_over(path: str, user: int) -> None:
    """From below; links are given away, never followed, and files that have another name stay as they are."""
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for _, folders, files, descriptor in os.fwalk(path, topdown=False):
            for name in (*folders, *files):
                _give(name, user, descriptor)
    _give(path, user)


def _give(name: str, user: int, folder: int | None = None) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
        os.chown(name, user, user, dir_fd=folder, follow_symlinks=False)
