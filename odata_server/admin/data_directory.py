"""The data directory of a server: who may use it, its lock, its secrets and the file that clients read.

.talentverse/            0700
    lock                 held by the running server
    secrets.json         0600, what must survive a restart and is stored nowhere else in clear
    environment.json     0600, what clients need; written anew at each start
    certificates/        the local authority and the server's certificate
    ...                  databases of the engine
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from integration.connection import ENVIRONMENT_FILE

DATA_FORMAT: Final = 1
"""The form of the data directory; a release that changes it raises this number and migrates older directories."""

_LOCK_FILE: Final = "lock"
_SECRETS_FILE: Final = "secrets.json"
_IN_MEMORY_FILE: Final = "in-memory-storage"
_IN_MEMORY_PREFIX: Final = "talentverse-"
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a private directory is made in it with mkdtemp
# A killed server's workers need a moment to notice and to let go of the lock.
_LOCK_PATIENCE: Final = 1.0
_LOCK_PAUSE: Final = 0.05


class DataDirectoryError(Exception):
    """The data directory cannot be used; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the data directory knows in clear."""

    control_key: str
    admin_client_secret: str
    adapter_client_secret: str


@dataclass(frozen=True, slots=True)
class Application:
    """An application that clients run as."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Environment:
    """The content of environment.json (contract: `talentverse env`)."""

    url: str
    authority: str
    tenant_id: str
    organization_id: str
    ca_bundle: str
    admin: Application
    adapter: Application
    control_key: str


@contextmanager
def locked_directory(directory: Path) -> Iterator[Path]:
    """Make the directory if needed, private to its owner, and hold its lock; give its absolute path.

    The lock belongs to the open file, which the worker processes share: as long as one of them lives, no second
    server starts.

    Raises:
        DataDirectoryError: it cannot be made, is in use, or its data is of a newer release.
    """
    resolved = directory.absolute()
    try:
        resolved.mkdir(mode=0o700, parents=True, exist_ok=True)
        resolved.chmod(0o700)
        descriptor = os.open(resolved / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataDirectoryError(
            f"the data directory {directory} cannot be used ({error.strerror}): name another one with --data"
        ) from error
    try:
        _take_lock(descriptor, directory)
        _check_format(resolved, directory)
        yield resolved
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int, directory: Path) -> None:
    until = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise DataDirectoryError(
                    f"another server is running on the data directory {directory}: "
                    "stop it, or name another directory with --data"
                ) from error
            time.sleep(_LOCK_PAUSE)
        else:
            return


def _check_format(resolved: Path, directory: Path) -> None:
    found = _read_object(resolved / _SECRETS_FILE).get("data_format", DATA_FORMAT)
    if not isinstance(found, int) or found > DATA_FORMAT:
        raise DataDirectoryError(
            f"the data in {directory} was written by a newer release (format {found}, this one knows {DATA_FORMAT}): "
            "use that release, or name another directory with --data"
        )


def read_secrets(directory: Path) -> Secrets:
    """Read the secrets; what is not there (on the first start, all) is an empty text.

    Raises:
        DataDirectoryError: the file is there, but cannot be read.
    """
    content = _read_object(directory / _SECRETS_FILE)

    def text(name: str) -> str:
        value = content.get(name, "")
        return value if isinstance(value, str) else ""

    return Secrets(text("control_key"), text("admin_client_secret"), text("adapter_client_secret"))


def write_secrets(directory: Path, secrets: Secrets) -> None:
    """Keep the secrets, and say which form the data has."""
    _write_object(directory / _SECRETS_FILE, {"data_format": DATA_FORMAT} | asdict(secrets))


def write_environment(directory: Path, environment: Environment) -> None:
    """Write environment.json; a reader sees the old or the new file, never half of one."""
    _write_object(directory / ENVIRONMENT_FILE, asdict(environment))


@contextmanager
def storage_directory(data_directory: Path, *, in_memory: bool) -> Iterator[Path]:
    """Give the directory for the databases: the data directory, or one in memory that is removed at the end.

    What an earlier server that was killed left in memory is removed first. The lock must be held.
    """
    if not in_memory:
        yield data_directory
        return
    note = data_directory / _IN_MEMORY_FILE
    _remove_leftover(note)
    parent = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
    storage = Path(tempfile.mkdtemp(prefix=_IN_MEMORY_PREFIX, dir=parent))
    try:
        note.write_text(str(storage), encoding="utf-8")
        yield storage
    finally:
        shutil.rmtree(storage, ignore_errors=True)
        note.unlink(missing_ok=True)


def _remove_leftover(note: Path) -> None:
    try:
        leftover = Path(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    if leftover.name.startswith(_IN_MEMORY_PREFIX) and leftover.parent in {_SHARED_MEMORY, Path(tempfile.gettempdir())}:
        shutil.rmtree(leftover, ignore_errors=True)


def _read_object(path: Path) -> Mapping[str, object]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataDirectoryError(f"{path} cannot be read: restore it, or name another directory with --data") from error
    if not isinstance(content, dict):
        raise DataDirectoryError(f"{path} is damaged: restore it, or name another directory with --data")
    return content


def _write_object(path: Path, content: Mapping[str, object]) -> None:
    """Replace a private file as a whole, and have it on disk before going on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
