"""The logins that `orchestrator login` keeps: server, token and project by profile, in a private file."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator_cli.failures import BadInput
from orchestrator_cli.private_files import write_private

PROFILE_VARIABLE = "ORCHESTRATOR_PROFILE"
DEFAULT_NAME = "default"
FILE_NAME = "profiles.json"


@dataclass(frozen=True, repr=False)
class Profile:
    """A server and who to be there."""

    url: str = ""
    token: str = ""
    project: str = ""
    token_id: str = ""
    """Of a token that the login itself made; `logout` revokes it."""


@dataclass(frozen=True)
class Profiles:
    """All profiles; `current` is the one of the last login."""

    current: str = ""
    by_name: Mapping[str, Profile] = field(default_factory=dict)

    def named(self, name: str) -> Profile:
        found = self.by_name.get(name)
        if found is None:
            known = ", ".join(sorted(self.by_name)) or "none yet"
            raise BadInput(
                f"no profile {name!r} (profiles: {known}); `orchestrator login --profile {name}` makes it"
            )
        return found

    def with_profile(self, name: str, profile: Profile) -> "Profiles":
        return Profiles(name, {**self.by_name, name: profile})

    def logged_out(self, name: str) -> "Profiles":
        """Without the token; server and project stay for the next login."""
        forgotten = replace(self.named(name), token="", token_id="")
        return replace(self, by_name={**self.by_name, name: forgotten})


def profiles_file() -> Path:
    """In the folder that XDG_CONFIG_HOME names, or ~/.config."""
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not named.is_absolute():  # relative ones are invalid and to be ignored, says the XDG specification
        try:
            named = Path.home() / ".config"
        except RuntimeError:
            raise BadInput("no home folder: set HOME or XDG_CONFIG_HOME") from None
    return named / "orchestrator" / FILE_NAME


def read_profiles() -> Profiles:
    """No profiles if there is no file; a file that others may read or write is refused."""
    file = profiles_file()
    try:
        with file.open(encoding="utf-8") as stream:
            found = os.fstat(stream.fileno())
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise BadInput(f"{file} must belong to you alone: chmod 600 {file}")
            return _parsed(json.load(stream))
    except (FileNotFoundError, NotADirectoryError):
        return Profiles()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"{file} is damaged; delete it and log in again") from None


def _parsed(found: Any) -> Profiles:
    fields = Profile.__dataclass_fields__
    by_name = {
        str(name): Profile(**{key: str(value) for key, value in parts.items() if key in fields})
        for name, parts in found["profiles"].items()
    }
    return Profiles(str(found["current"]), by_name)


def write_profiles(profiles: Profiles) -> Path:
    """Replace the file; only its owner may read it."""
    file = profiles_file()
    content = {
        "current": profiles.current,
        "profiles": {name: asdict(profile) for name, profile in profiles.by_name.items()},
    }
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}") from None
    return file
