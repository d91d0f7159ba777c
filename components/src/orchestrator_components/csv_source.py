"""Where a CSV comes from: a file in the files directory, a URL, or a sample that comes with the component;
plain, gzipped, or alone in a zip."""

import codecs
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlsplit

from orchestrator_components.contract import UserError, data_dir
from orchestrator_components.file_access import allowed_path

if TYPE_CHECKING:
    import zipfile


SAMPLE = "sample:"
SAMPLES = Path(__file__).parent / "samples"


def is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


async def local_copy(source: str) -> Path:
    """The source as a file on this machine."""
    if source.startswith(SAMPLE):
        return _sample(source.removeprefix(SAMPLE))
    if not is_url(source) and "://" in source:
        raise UserError("source: a URL must start with http:// or https://")
    if not is_url(source):
        path = allowed_path(source, field="source")
        if not path.is_file():
            raise UserError(f"source: file {source} does not exist")
        return path
    target = data_dir() / ("source" + "".join(Path(urlsplit(source).path).suffixes[-1:]))
    # Imported late: files do not need it, and the import takes longer than everything else.
    from orchestrator_components.download import fetch

    await fetch(source, target)
    return target


def _sample(name: str) -> Path:
    known = sorted(file.name for file in SAMPLES.glob("*.csv.gz"))
    if name not in known:
        raise UserError(f"source: there is no sample {name}; there are {', '.join(known)}")
    return SAMPLES / name


@contextmanager
def opened(path: Path, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """The CSV as text, with a surrogate for each undecodable byte; CsvRows reports where it is.

    A damaged archive is a user error, even if the damage is found only while reading.
    """
    with ExitStack() as stack:
        try:
            binary = _binary(path, stack)
            # With or without a byte order mark.
            name = "utf-8-sig" if is_utf8(encoding) else encoding
            text = io.TextIOWrapper(binary, encoding=name, errors="surrogateescape", newline="")
            yield stack.enter_context(text)
        except _damages() as error:
            raise UserError(f"source: {path.name} is damaged: {error}") from None
        except PermissionError:
            raise UserError(f"source: the runner has no permission to read {path.name}") from None


def _damages() -> tuple[type[Exception], ...]:
    """The exceptions of a damaged archive; imported only after something was raised."""
    import gzip
    import zipfile
    import zlib

    return gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError


def _binary(path: Path, stack: ExitStack) -> IO[bytes]:
    # Most files are plain: import the modules for the others only when needed.
    if path.suffix == ".gz":
        import gzip

        return cast(IO[bytes], stack.enter_context(gzip.open(path, "rb")))
    if path.suffix == ".zip":
        import zipfile

        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_only_member(archive)))
    return stack.enter_context(path.open("rb"))


def _only_member(archive: "zipfile.ZipFile") -> "zipfile.ZipInfo":
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(m.filename for m in members[:10]) or "nothing"
        raise UserError(f"source: the zip must contain exactly one file; it contains {names}")
    if members[0].flag_bits & 0x1:
        raise UserError("source: the zip is encrypted")
    return members[0]
