"""What the stores of the authority stand on: its database, which SQLite and PostgreSQL bring each in their way."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from odata_server.engine.database import Connection
from odata_server.engine.dialect import Dialect


class AuthoritySession(Protocol):
    """The database of the authority, one per process."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it understands."""

    @property
    def place(self) -> str:
        """Where it lies, for messages."""

    @property
    def migrations(self) -> tuple[str, ...]:
        """The scripts that lead from each schema version to the next one; a released script never changes."""

    def create(self) -> None:
        """Make what the first script stands on; what is there stays."""

    def version(self) -> int:
        """Return a number that is another one after each commit of any process, cheaply."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection to read with."""

    def write(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction that is committed when the block ends; one writer at a time."""

    def close(self) -> None:
        """Close the connections."""
