"""The folder in which the components of one project read and write files, and no other project's do."""

import errno
import os
import stat


def prepare_project_folder(path: str) -> None:
    """Make it where it is missing; raises OSError where something else stands in its place."""
    try:
        os.makedirs(path)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise OSError(errno.ENOTDIR, "is not a folder of its own", path) from None
