"""Entry point: `python -m orchestrator_runner.keeper FD DRAIN_SECONDS`, started by the runner only."""

import socket
import sys

from orchestrator_runner.keeper.service import Keeper


def main(arguments: list[str]) -> int:
    """Serve the runner at the other end of the inherited socket."""
    if len(arguments) != 2:
        print("usage: python -m orchestrator_runner.keeper FD DRAIN_SECONDS", file=sys.stderr)
        return 2
    connection = socket.socket(fileno=int(arguments[0]))
    connection.set_inheritable(False)
    Keeper(connection, drain=float(arguments[1])).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
