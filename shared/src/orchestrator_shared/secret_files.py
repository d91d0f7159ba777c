"""Secrets in files: the variable of a secret with `_FILE` added names a file that contains its value."""

import os

from orchestrator_shared.domain.errors import OrchestratorError

SUFFIX = "_FILE"
MAX_BYTES = 64 * 1024


class SecretFileError(OrchestratorError):
    """A secret's file cannot be used; the text names its variable, but neither the path nor the content."""


def secret_of(variable: str) -> str | None:
    """The value of a secret variable, from the environment or from its file; None if neither is set.

    Raises SecretFileError.
    """
    value, path = os.environ.get(variable), os.environ.get(variable + SUFFIX)
    if not path:
        return value or None
    if value:
        raise SecretFileError(f"{variable} and {variable}{SUFFIX} are both set: remove one of them")
    try:
        return _read(path)
    except ValueError as error:
        raise SecretFileError(f"{variable}{SUFFIX}: {error}") from None


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ValueError(f"the file cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        # Editors and `echo` end a file with a line break; blanks may be part of a password.
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    if not text:
        raise ValueError("the file is empty")
    return text
