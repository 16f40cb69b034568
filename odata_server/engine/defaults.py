"""What the server fills in: ids, owner, who and when, states, defaults and automatic numbers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from entities.auto_numbers import automatic_number
from entities.errors import InvalidArgument
from entities.metadata.columns import LookupType
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.validation import with_state
from odata_server.engine.watched import WatchedRecord

_STATE = ("statecode", "statuscode")
_STAMPS = ("createdon", "modifiedon", "createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby")
_DECIDING = frozenset((*_STATE, *_STAMPS, "ownerid", "overriddencreatedon"))
"""Columns on which others depend that the server fills in, or that nobody else may set."""


class _Common(NamedTuple):
    """What the new records of a table get that one caller makes.

    `lacking` is what a record has unless it says otherwise, `stamps` what it has in any case; `whole` is both with what
    follows from the owner, None where each record gets something of its own.
    """

    lacking: Record
    stamps: Record
    whole: Record | None


class NewRecords:
    """What the new records of a transaction get from the server; most of it is the same for all of a table.

    Args:
        now: the transaction's time.
        next_number: takes the next number of a sequence.
        following: gives the columns that follow from a record's owner.
    """

    def __init__(
        self, now: datetime, next_number: Callable[[str], int], following: Callable[[Table, Record], Record]
    ) -> None:
        self._moment = now.replace(microsecond=0)
        self._next_number = next_number
        self._following = following
        self._common: dict[tuple[str, Guid, Guid | None], _Common] = {}

    def forget(self) -> None:
        """Look again at what follows from owners: users or teams have been written."""
        self._common.clear()

    def completed(self, table: Table, record: dict[str, Value], caller: Caller) -> WatchedRecord:
        """Return a new record with everything that it gets from the server; what the caller gave stays.

        Args:
            table: the record's table.
            record: what is given, its id among it.
            caller: who makes it.

        Raises:
            InvalidArgument: its state and its reason do not belong together.
            RecordNotFound: there is no such owner.
        """
        kind = table.logical_name, caller.user_id, caller.delegate_id
        common = self._common.get(kind)
        if common is None:
            common = self._common[kind] = self._of_all(table, caller)
        if common.whole is None or not record.keys().isdisjoint(_DECIDING):
            return self._by_itself(table, record, common)
        new = WatchedRecord(common.whole)
        new.fill(record)
        return new

    def _by_itself(self, table: Table, record: dict[str, Value], common: _Common) -> WatchedRecord:
        """Complete a record of which more is its own than what its caller gave."""
        if not record.keys().isdisjoint(_STATE):
            with_state(table, record, None)
        new = WatchedRecord(common.lacking)
        new.fill(record)
        new.fill(common.stamps)
        if record.get("overriddencreatedon") is not None:
            # Learn: "Import data", RecordCreatedOn: the moments change places.
            new.update({"createdon": record["overriddencreatedon"], "overriddencreatedon": self._moment})
        if table.base_type == "principal":
            new["ownerid"] = record[table.primary_id]
        for name, form in table.autonumbers:
            if not new.get(name):
                next_number = partial(self._next_number, f"{table.logical_name}.{name}")
                new[name] = automatic_number(form, next_number, self._moment, secrets.choice)
        new.fill(self._following(table, new))
        return new

    def _of_all(self, table: Table, caller: Caller) -> _Common:
        columns, user = table.by_name, EntityReference("systemuser", caller.user_id)
        lacking: dict[str, Value] = dict(table.defaults)
        if table.is_user_owned:
            lacking["ownerid"] = user
        if "statecode" in columns:
            lacking["statecode"] = 0
            with_state(table, lacking, None)
        stamps: dict[str, Value] = {name: self._moment for name in ("createdon", "modifiedon") if name in columns}
        stamps |= {name: user for name in ("createdby", "modifiedby") if _names_user(table, name)}
        if caller.delegate_id is not None:
            delegate = EntityReference("systemuser", caller.delegate_id)
            stamps |= {name: delegate for name in ("createdonbehalfby", "modifiedonbehalfby") if name in columns}
        if table.autonumbers or table.base_type == "principal":
            return _Common(lacking, stamps, None)
        return _Common(lacking, stamps, {**lacking, **stamps, **self._following(table, lacking)})


def require(table: Table, record: Record) -> None:
    """Check that a new record has every column that the system requires.

    Raises:
        InvalidArgument: one is missing.
    """
    for name in table.required:
        if record.get(name) is None:
            raise InvalidArgument(f"{table.schema_name}: the required column '{name}' is missing.", code="0x80040200")


def complete_change(table: Table, record: dict[str, Value], caller: Caller, now: datetime, state: int | None) -> None:
    """Fill in what every change of a record brings."""
    if "modifiedon" in table.by_name:
        record["modifiedon"] = now.replace(microsecond=0)
    if _names_user(table, "modifiedby"):
        record["modifiedby"] = EntityReference("systemuser", caller.user_id)
    if "modifiedonbehalfby" in table.by_name:
        delegate = caller.delegate_id
        record["modifiedonbehalfby"] = None if delegate is None else EntityReference("systemuser", delegate)
    with_state(table, record, state)


def _names_user(table: Table, name: str) -> bool:
    """Say whether a column names a user: a few tables have text of this name."""
    column = table.by_name.get(name)
    return column is not None and isinstance(column.type, LookupType)


def following_owner(owner: EntityReference, business_unit: Guid) -> Record:
    """Return the columns that follow from the owner."""
    return {
        "owningbusinessunit": EntityReference("businessunit", business_unit),
        "owninguser": owner if owner.table == "systemuser" else None,
        "owningteam": owner if owner.table == "team" else None,
    }
