"""Where the databases of a server lie by name: files of a directory, or schemas of a PostgreSQL database.

```
turn         one server at a time prepares what is there
workplace    new databases are made out of sight, and moved in whole
copies       known states of the databases, which are databases themselves
```
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final, Protocol

from odata_server.engine.authority_session import AuthoritySession
from odata_server.engine.database import Database, Durability

BASELINE: Final = "baseline"
"""The copies that a reset puts back."""

BEFORE_UPGRADE: Final = "before-upgrade"
"""The copies of what an older release left."""


class StorageError(Exception):
    """The databases cannot be used; one line that says why and what to do."""


class StoragePlace(Protocol):
    """A place for databases."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other server prepares this place, and keep others waiting while the block runs.

        Raises:
            StorageError: the place cannot be used.
        """

    def holds(self, name: str) -> bool:
        """Say whether there is an environment's database with this name."""

    def open(self, name: str, durability: Durability = ...) -> Database:
        """Open a database; in a workplace it is made when it does not exist."""

    def authority(self) -> AuthoritySession:
        """Open the database of the token authority; it is made when it does not exist."""

    def copies(self, name: str) -> StoragePlace:
        """Return the place of the copies with a name (`Database.keep`), to be opened as databases themselves."""

    def workplace(self, name: str) -> AbstractContextManager[StoragePlace]:
        """Give an empty place; what is in it when the block ends moves here, with its copies, in place of the present.

        The databases opened in it must be closed by then. An error in the block leaves everything as it is.

        Raises:
            StorageError: something that is no environment is in the way.
        """
