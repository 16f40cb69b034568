"""What the server fills in: ids, owner, who and when, states, defaults and automatic numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from entities.errors import InvalidArgument
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.validation import with_state

_SEQUENCE = re.compile(r"\{SEQNUM:(\d+)\}")


def complete_new(
    table: Table, record: dict[str, Value], caller: Caller, now: datetime, next_number: Callable[[str], int]
) -> None:
    """Fill in everything a new record gets from the server; what the caller gave stays.

    Args:
        table: the record's table.
        record: the record, changed in place.
        caller: who makes it.
        now: the transaction's time.
        next_number: takes the next number of a sequence.
    """
    moment = now.replace(microsecond=0)
    columns = table.by_name
    user = EntityReference("systemuser", caller.user_id)
    if "createdon" in columns:
        record.update({"createdon": moment, "modifiedon": moment})
        if record.get("overriddencreatedon") is not None:
            # Learn: "Import data", RecordCreatedOn: the moments change places.
            record.update({"createdon": record["overriddencreatedon"], "overriddencreatedon": moment})
    if "createdby" in columns:
        record.update({"createdby": user, "modifiedby": user})
    if table.is_user_owned:
        record.setdefault("ownerid", user)
    if table.base_type == "principal":
        record["ownerid"] = record[table.primary_id]
    with_state(table, record, None)
    if "statecode" in columns and "statecode" not in record:
        record["statecode"] = 0
        with_state(table, record, None)
    for name, default in table.defaults.items():
        record.setdefault(name, default)
    for name, form in table.autonumbers:
        if not record.get(name):
            record[name] = numbered(table, name, form, next_number)


def numbered(table: Table, column: str, form: str, next_number: Callable[[str], int]) -> str:
    """Return the next value of an autonumber column, such as `AC-000012` for `AC-{SEQNUM:6}`."""
    number = next_number(f"{table.logical_name}.{column}")
    return _SEQUENCE.sub(lambda match: str(number).zfill(int(match[1])), form)


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
    if "modifiedby" in table.by_name:
        record["modifiedby"] = EntityReference("systemuser", caller.user_id)
    with_state(table, record, state)


def owned_by(record: dict[str, Value], owner: EntityReference, business_unit: Guid) -> None:
    """Set the columns that follow from the owner."""
    record["owningbusinessunit"] = EntityReference("businessunit", business_unit)
    record["owninguser"] = owner if owner.table == "systemuser" else None
    record["owningteam"] = owner if owner.table == "team" else None
