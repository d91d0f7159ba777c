"""The folder in which one project's components read and write files, out of reach of other projects."""

import errno
import os
import stat


def prepare_project_folder(path: str, user: int | None = None) -> None:
    """Create the folder if it is missing; raises OSError if something else is in its place.

    If tasks have users of their own, the folder and everything in it becomes that user's.
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
    for entry in os.scandir(path):  # files that an administrator has added since
        if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
            _hand_over(entry.path, user)


def _hand_over(path: str, user: int) -> None:
    """Hand over from the bottom up.

    Links are handed over, never followed; files with a second hard link stay as they are.
    """
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for _, folders, files, descriptor in os.fwalk(path, topdown=False):
            for name in (*folders, *files):
                _give(name, user, descriptor)
    _give(path, user)


def _give(name: str, user: int, folder: int | None = None) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
        os.chown(name, user, user, dir_fd=folder, follow_symlinks=False)
