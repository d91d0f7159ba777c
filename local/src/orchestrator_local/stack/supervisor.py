"""The process that starts a local stack, keeps it running, and stops everything it started."""

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context, write_context
from orchestrator_cli.failures import CommandFailure
from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_local.servers.processes import ServerError, remembered_port
from orchestrator_local.servers.rabbitmq import RabbitServer
from orchestrator_local.stack.child import Child
from orchestrator_local.stack.data import remove_orphaned_database
from orchestrator_local.stack.databases import prepare_databases
from orchestrator_local.stack.identity import ProcessIdentity
from orchestrator_local.stack.keys import Keys, load_or_make
from orchestrator_local.stack.launch import keep_private
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.leftovers import end_leftovers
from orchestrator_local.stack.plan import API, Servers, plans, process_names
from orchestrator_local.stack.readiness import wait_for_all
from orchestrator_local.stack.record import ProcessEntry, Progress, StackRecord, StackState, read_record
from orchestrator_local.stack.welcome import PROJECT, ensure_project, register_components

DATABASE_VARIABLE = "ORCHESTRATOR_DEV_DATABASE_URL"
AMQP_VARIABLE = "ORCHESTRATOR_DEV_AMQP_URL"
PREFIX_VARIABLE = "ORCHESTRATOR_DATABASE_ROLE_PREFIX"
WATCH_SECONDS = 0.2
SERVER_CHECK_SECONDS = 3.0
GRACE_SECONDS = 15.0
ALREADY_RUNNING = 75


class StopRequested(BaseException):
    """A signal asked the supervisor to stop; not an Exception, so that no handler treats it as an error."""


class Supervisor:
    """Starts processes in order, watches them, and stops them in reverse order."""

    def __init__(self, layout: Layout, runners: int) -> None:
        self.layout = layout
        self.keys: Keys = load_or_make(layout.keys)
        own = ProcessIdentity.of(os.getpid())
        self.record = StackRecord(ProcessEntry(own.pid, own.started), runners=runners)
        self.progress = Progress(self.record, layout.record)
        self.children: list[Child] = []
        self.postgres = None if os.environ.get(DATABASE_VARIABLE) else PostgresServer(layout.postgres)
        self.rabbitmq = None if os.environ.get(AMQP_VARIABLE) else RabbitServer(layout.rabbitmq)

    def run(self) -> int:
        error = ""
        try:
            self._start()
            self._watch()
        except StopRequested:
            log("asked to stop")
        except CommandFailure as failure:
            error = "\n".join([failure.text, *failure.details])
            log(f"failed: {error}")
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
            raise
        finally:
            self._stop(error)
        return 1 if error else 0

    def _start(self) -> None:
        self.progress.save()
        with ThreadPoolExecutor(1) as pool:
            self.progress.begin("PostgreSQL" if self.postgres else f"PostgreSQL from {DATABASE_VARIABLE}")
            rabbitmq_ready = pool.submit(self.rabbitmq.start) if self.rabbitmq else None
            if self.postgres:
                if remove_orphaned_database(self.layout):
                    log("removed database files whose password was deleted with an earlier state folder")
                self.postgres.start()
            self.progress.begin("databases, migrations and service roles")
            database, warehouse = self._prepare_databases()
            self.progress.begin("RabbitMQ" if self.rabbitmq else f"RabbitMQ from {AMQP_VARIABLE}")
            if rabbitmq_ready:
                rabbitmq_ready.result()
        amqp = self.rabbitmq.url if self.rabbitmq else os.environ[AMQP_VARIABLE]
        self._start_children(Servers(database, amqp, warehouse))
        self.progress.begin("the project and the built-in components")
        self._welcome(warehouse, amqp)
        self.progress.finish()
        self.record.state = StackState.READY
        self._save()

    def _prepare_databases(self) -> tuple[str, str]:
        private = self.postgres is not None
        url = self.postgres.url if self.postgres else os.environ[DATABASE_VARIABLE]
        database, warehouse, applied = prepare_databases(
            url, self.keys, role_prefix=role_prefix(), private=private, state_dir=self.layout.root
        )
        log(f"migrations applied: {', '.join(applied) or 'none (up to date)'}")
        return database, warehouse

    def _start_children(self, servers: Servers) -> None:
        names = process_names(self.record.runners)
        self.progress.begin(f"services: {', '.join(names)}")
        ports = {name: remembered_port(self.layout.ports / name) for name in names}
        for plan in plans(self.layout, self.keys, servers, ports, role_prefix=role_prefix()):
            child = Child(plan, self.layout.log(plan.name))
            self.children.append(child)
            child.start()
        self.record.url = f"http://127.0.0.1:{ports[API]}"
        self._save()
        wait_for_all(self.children)

    def _welcome(self, warehouse: str, amqp: str) -> None:
        with ApiClient(self.record.url, self.keys.admin_token) as client:
            register_components(client)
            ensure_project(client, PROJECT)
            client.put(f"/projects/{PROJECT}/variables/warehouse", {"value": warehouse, "secret": True})
        context = Context(
            url=self.record.url,
            token=self.keys.admin_token,
            project=PROJECT,
            state_folder=str(self.layout.root),
            warehouse_url=warehouse,
            amqp_url=amqp,
        )
        write_context(self.layout.root, context)

    def _watch(self) -> None:
        servers_checked = time.monotonic()
        while True:
            time.sleep(WATCH_SECONDS)
            now = time.monotonic()
            news = [event for child in self.children if (event := child.watch(now))]
            if now - servers_checked > SERVER_CHECK_SECONDS:
                news += self._revive_servers()
                servers_checked = time.monotonic()
            for event in news:
                log(event)
            if news:
                self._save()

    def _revive_servers(self) -> list[str]:
        news = []
        for name, server in (("PostgreSQL", self.postgres), ("RabbitMQ", self.rabbitmq)):
            if server is None or server.pid is not None:
                continue
            try:
                server.stop(immediate=True)
                server.start()
                news.append(f"{name} had exited and was restarted")
            except ServerError as error:
                news.append(f"{name} exited and cannot be restarted: {error}")
        return news

    def _save(self) -> None:
        entries = ((child.name, child.entry()) for child in self.children)
        self.record.processes = {name: entry for name, entry in entries if entry}
        self.progress.save()

    def _stop(self, error: str) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        self.record.state = StackState.STOPPING
        self._save()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in reversed(self.children):
            child.ask_to_stop()
        for child in reversed(self.children):
            child.end(deadline)
        with ThreadPoolExecutor(2) as pool:  # each takes seconds, and they are independent
            for server in (self.rabbitmq, self.postgres):
                if server is not None:
                    pool.submit(server.stop)
        self.children.clear()
        if error:
            self.record.state, self.record.error = StackState.FAILED, error
            self._save()
        else:
            self.layout.record.unlink(missing_ok=True)
        log("stopped")


def role_prefix() -> str:
    return os.environ.get(PREFIX_VARIABLE) or "orchestrator_"


def log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


@contextmanager
def only_one(layout: Layout) -> Iterator[bool]:
    """The lock that makes this the only supervisor of its folder; the kernel releases it in any case."""
    with layout.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--runners", type=int, default=2)
    options = parser.parse_args()
    layout = Layout.at(options.state_dir)
    keep_private()
    layout.prepare()
    with only_one(layout) as alone:
        if not alone:
            return ALREADY_RUNNING
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _request_stop)
        if stale := read_record(layout.record):
            end_leftovers(stale)
        return Supervisor(layout, options.runners).run()


if __name__ == "__main__":
    sys.exit(main())
