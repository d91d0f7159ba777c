"""The component contract for components in Python: parameters, state, result, errors, signals."""

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

SUCCESS = 0
USER_ERROR = 1
INTERNAL_ERROR = 2
TERMINATED = 128 + signal.SIGTERM

SECONDS_TO_TIDY_UP = 5.0


class UserError(Exception):
    """A mistake that the person who configured the component can fix; the text is shown to them."""


class Terminated(BaseException):
    """SIGTERM arrived; no component should catch it."""


class OutputTable(TypedDict):
    table: str
    rows: int


Parameters = TypeVar("Parameters", bound="BaseModel")
Run = Callable[[], Awaitable[None] | None]


def data_dir() -> Path:
    directory = os.environ.get("ORCHESTRATOR_DATA_DIR", "")
    if not directory:
        raise UserError(
            "ORCHESTRATOR_DATA_DIR is not set; start components with a runner or with 'component run'"
        )
    return Path(directory)


def read_parameters() -> dict[str, Any]:
    """The parameters of config.json, unvalidated."""
    config = _read_object(data_dir() / "config.json")
    parameters = config.get("parameters", {})
    if not isinstance(parameters, dict):
        raise UserError("parameters: must be an object")
    return parameters


def load_parameters(model: type[Parameters]) -> Parameters:
    """Read and validate the parameters of config.json; a mistake is a UserError that names the field."""
    # Imported late, and not by the built-ins: the import takes longer than most of their tasks.
    from pydantic import ValidationError

    parameters = read_parameters()
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        from orchestrator_shared.validation import JSON, explain

        words = JSON._replace(unknown="is not a known parameter")
        raise UserError(explain(error, prefix="parameters", words=words)) from None


def load_state() -> dict[str, Any]:
    """The state this configuration saved when it last succeeded; empty the first time."""
    path = data_dir() / "state.json"
    return _read_object(path) if path.exists() else {}


def save_state(state: Mapping[str, Any]) -> None:
    write_atomically(data_dir() / "state.json", json.dumps(dict(state)))


def report(message: str = "", output_tables: Iterable[OutputTable] = ()) -> None:
    """Write the result; each output table becomes a table update when the job succeeds."""
    result = {"message": message, "output_tables": list(output_tables)}
    write_atomically(data_dir() / "result.json", json.dumps(result))


def write_atomically(path: Path, text: str) -> None:
    handle, temporary = new_file_beside(path)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def new_file_beside(path: Path) -> tuple[int, Path]:
    """An open temporary file in the same folder, to replace `path` when it is complete."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), temporary


def main(run: Run) -> NoReturn:
    """Run a component: its exit code, last line on stderr and handling of SIGTERM follow the contract."""
    sys.exit(exit_code_of(run))


def exit_code_of(run: Run) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        _execute(run)
    except UserError as error:
        print(one_line(str(error)), file=sys.stderr)
        return USER_ERROR
    except Terminated:
        print("terminated", file=sys.stderr)
        return TERMINATED
    except Exception as error:
        import traceback

        traceback.print_exc()
        print(one_line(f"internal error: {type(error).__name__}: {error}"), file=sys.stderr)
        return INTERNAL_ERROR
    return SUCCESS


def one_line(text: str) -> str:
    """The contract shows the last line of stderr, so a message must be a single line."""
    return " ".join(text.split())


def _execute(run: Run) -> None:
    work = run()
    if isinstance(work, Awaitable):
        import asyncio  # not needed by components without a database

        asyncio.run(_until_sigterm(work))


async def _until_sigterm(work: Awaitable[None]) -> None:
    """Cancelling lets asyncpg tell the server to stop; a plain exit would leave the statement running."""
    import asyncio

    task = asyncio.ensure_future(work)
    terminated = asyncio.Event()

    def stop() -> None:
        terminated.set()
        task.cancel()
        _end_anyway_soon()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        await task
    except BaseException:
        if terminated.is_set():
            raise Terminated from None
        raise


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    _end_anyway_soon()
    raise Terminated


def _end_anyway_soon() -> None:
    timer = threading.Timer(SECONDS_TO_TIDY_UP, os._exit, args=(TERMINATED,))
    timer.daemon = True
    timer.start()


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path.name} is missing in ORCHESTRATOR_DATA_DIR") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path.name} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path.name}: must be an object")
    return content
