"""The release before this one, as it runs: its own code beside ours, on the same locked requirements.

Until there is a tag, it is a commit: the last one before the web page. Whoever makes a release sets it to the
tag of the one before (docs/how-to/release.md).
"""

import asyncio
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from tests.support.servers import REPOSITORY

COMMIT = "77319c4e7868033e0a89c40edecbbdad2283520f"
SOURCES = ("shared/src", "services", "components/src", "cli/src")
RUN_COMMAND = "import sys; from orchestrator_cli.main import main; sys.exit(main(sys.argv[1:]))"


def require() -> None:
    """Skip where the history is not there; in CI that is a failure, because nobody would notice."""
    found = subprocess.run(
        ["git", "-C", str(REPOSITORY), "cat-file", "-e", f"{COMMIT}^{{commit}}"],
        capture_output=True,
        check=False,
    )
    if found.returncode != 0:
        reason = f"the previous release ({COMMIT[:8]}) is not in this clone: `git fetch --unshallow` gets it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def unpack(folder: Path) -> Path:
    """Its source, in this folder."""
    require()
    made = subprocess.run(
        ["git", "-C", str(REPOSITORY), "archive", "--format=tar", COMMIT, *SOURCES],
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def environment_for(folder: Path) -> Path:
    """A Python that imports its code and our installed requirements; what it starts does so, too."""
    source = unpack(folder / "source")
    home = folder / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    places = [
        *sorted(source.glob("*/src")),
        *sorted(source.glob("services/*/src")),
        sysconfig.get_path("purelib"),
    ]
    # The last place is a line of a .pth file, so the .pth files in it, which lead to our code, are not read.
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "previous.pth").write_text("".join(f"{place}\n" for place in places))
    return home / "bin" / "python"


async def command(python: Path, *arguments: str, environment: Mapping[str, str]) -> str:
    """`orchestrator` of that release."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        "-c",
        RUN_COMMAND,
        *arguments,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
