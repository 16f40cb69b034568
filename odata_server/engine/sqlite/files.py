"""Databases as files of a directory; only the server that has locked the directory touches them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from odata_server.engine.database import Durability
from odata_server.engine.sqlite.authority import SqliteAuthority
from odata_server.engine.sqlite.database import SqliteDatabase

_AUTHORITY: Final = "authority"


class FilePlace:
    """A directory of files `<name>.sqlite`, with copies `<name>.<copy>.sqlite` beside them.

    Args:
        directory: the directory, which exists.
        copy: the copies with this name take the part of the databases.
    """

    def __init__(self, directory: Path, copy: str = "") -> None:
        self._directory = directory
        self._suffix = f".{copy}.sqlite" if copy else ".sqlite"

    def turn(self) -> AbstractContextManager[None]:
        """Go on at once: the lock of the data directory keeps other servers away."""
        return nullcontext()

    def holds(self, name: str) -> bool:
        """Say whether the file is there; only whole ones are moved in."""
        return self._path(name).exists()

    def open(self, name: str, durability: Durability = Durability.FULL) -> SqliteDatabase:
        """Open a file."""
        return SqliteDatabase(self._path(name), durability)

    def authority(self) -> SqliteAuthority:
        """Open the authority's file."""
        return SqliteAuthority(self._path(_AUTHORITY))

    def copies(self, name: str) -> FilePlace:
        """Return the place of the copies with a name."""
        return FilePlace(self._directory, name)

    @contextmanager
    def workplace(self, name: str) -> Iterator[FilePlace]:
        """Give an empty directory below this one.

        The copies are moved first: a database that is there has its copies, whenever the power fails.
        """
        directory = self._directory / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        try:
            yield FilePlace(directory)
            for path in sorted(directory.glob("*.sqlite"), key=lambda path: path.name.count("."), reverse=True):
                path.replace(self._directory / path.name)
        finally:
            shutil.rmtree(directory)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{self._suffix}"
