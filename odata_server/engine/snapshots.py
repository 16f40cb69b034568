"""The snapshots of the metadata that the threads of a process work with.

A request is parsed and bound against one snapshot and executed against the same one, whatever other threads see
meanwhile; where the stored metadata have gone on by then, it is done again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from entities.errors import TemporarilyUnavailable
from entities.messages import Associate, Create, Delete, Disassociate, Message, Update, Upsert, table_of
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.values import EntityReference, KeyReference

CHANGED: Final = "The metadata changed while the request ran. Try again."


class StaleSnapshot(TemporarilyUnavailable):
    """The metadata changed while the request ran; repeating the request with fresh metadata succeeds."""


class Snapshots:
    """The newest snapshot of a process, and the one that each thread goes on with.

    Args:
        newest: the first snapshot.
    """

    def __init__(self, newest: Catalog) -> None:
        self.newest = newest
        self._own = threading.local()

    def own(self) -> Catalog:
        """Return this thread's snapshot."""
        try:
            found: Catalog = self._own.catalog
        except AttributeError:
            found = self._own.catalog = self.newest
        return found

    def keep(self, newest: Catalog) -> None:
        """Let this thread, and threads to come, go on with a snapshot."""
        self.newest = self._own.catalog = newest


def same_tables(messages: Iterable[Message], before: Catalog, fresh: Catalog) -> Catalog:
    """Return the fresh catalog when the messages mean the same in it.

    Raises:
        StaleSnapshot: they do not.
    """
    if not all(_fits(message, before, fresh) for message in messages):
        raise StaleSnapshot(CHANGED)
    return fresh


def _fits(message: Message, before: Catalog, fresh: Catalog) -> bool:
    """Say whether what a message names is the same in both snapshots, whatever else has changed."""
    name = table_of(message)
    if name is None:
        return True
    old, new = before.tables[name], fresh.tables.get(name)
    if new is None or new is old:
        return new is old
    match message:
        case Create():
            return _same_columns(message.record, old, new) and all(
                _same_navigation(related.navigation, name, before, fresh)
                and all(_fits(made, before, fresh) for made in related.made)
                for related in message.related
            )
        case Update() | Upsert():
            return _same_columns((*message.record, *_key(message.target)), old, new)
        case Delete():
            return _same_columns(_key(message.target), old, new)
        case Associate() | Disassociate():
            return _same_navigation(message.navigation, name, before, fresh)
        case _:
            return new == old


def _same_columns(names: Iterable[str], old: Table, new: Table) -> bool:
    return all(old.by_name.get(name) == new.by_name.get(name) for name in (*names, old.primary_id))


def _key(target: EntityReference | KeyReference) -> tuple[str, ...]:
    return tuple(name for name, _ in target.values) if isinstance(target, KeyReference) else ()


def _same_navigation(name: str, table: str, before: Catalog, fresh: Catalog) -> bool:
    return before.navigation(table, name) == fresh.navigation(table, name)
