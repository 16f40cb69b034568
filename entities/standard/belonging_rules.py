"""What notes, attachments, addresses, queue items and connections say of the records that they belong to."""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Handler, Stage, Step
from entities.standard.lookups import by_id
from entities.values import EntityReference, Value

_ACTIVITY: Final = "activitypointer"

_TYPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "annotation": ("objectid", "objecttypecode"),
        "activitymimeattachment": ("objectid", "objecttypecode"),
        "customeraddress": ("parentid", "objecttypecode"),
    }
)
"""By table: the lookup to the record, and the column that has the name of its table."""

_CODES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "queueitem": (("objectid", "objecttypecode"),),
        "connection": (("record1id", "record1objecttypecode"), ("record2id", "record2objecttypecode")),
    }
)
"""By table: lookups, and the columns that have the numbers of the tables they point to."""

_CONTENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"annotation": "documentbody", "activitymimeattachment": "body", "attachment": "body"}
)
"""By table: the column with the content of a file, in base 64."""


_OF_ACTIVITIES: Final = ("activityparty", "activitymimeattachment", "queueitem", "connection")
"""Tables whose lookups may name an activity without its type."""


def name_types_of_activities(context: ExecutionContext) -> None:
    """Have lookups to an activity say of which type it is.

    Raises:
        RecordNotFound: there is no such activity.
    """
    for column, value in tuple(context.record.items()):
        if isinstance(value, EntityReference) and value.table == _ACTIVITY:
            type_ = by_id(context.system, value, "activitytypecode")["activitytypecode"]
            context.record[column] = EntityReference(str(type_), value.id)


def note_types(context: ExecutionContext) -> None:
    """Set the name of the table of the record that another belongs to."""
    assert context.reference is not None
    lookup, column = _TYPES[context.reference.table]
    if lookup in context.record:
        context.record[column] = _table_of(context.record[lookup])


def note_codes(context: ExecutionContext) -> None:
    """Set the numbers of the tables of the records that another one is about."""
    assert context.reference is not None
    for lookup, column in _CODES[context.reference.table]:
        if lookup in context.record:
            name = _table_of(context.record[lookup])
            context.record[column] = context.system.catalog.tables[name].object_type_code if name is not None else None


def _table_of(value: Value) -> str | None:
    return value.table if isinstance(value, EntityReference) else None


def measure_content(context: ExecutionContext) -> None:
    """Set the size of a file that comes with a note or an attachment; a note with a file is a document.

    Raises:
        InvalidArgument: the content is not in base 64.
    """
    assert context.reference is not None
    column = _CONTENTS[context.reference.table]
    if column not in context.record:
        return
    content = context.record[column]
    context.record["filesize"] = _size(content, column)
    if context.reference.table == "annotation":
        context.record["isdocument"] = content is not None


def _size(content: Value, column: str) -> int | None:
    if content is None:
        return None
    try:
        return len(a2b_base64(str(content).encode(), strict_mode=True))
    except NotBase64 as error:
        raise InvalidArgument(f"The value of '{column}' is not a valid Base-64 string.") from error


def enter_queue(context: ExecutionContext) -> None:
    """Give an item of a queue the name of its object, and the moment at which it entered."""
    context.record["title"] = _name_of(context, "objectid")
    context.record["enteredon"] = context.system.now


def name_connection(context: ExecutionContext) -> None:
    """Name a connection after the record that it leads to."""
    if "record2id" in context.record:
        context.record["name"] = _name_of(context, "record2id")


def _name_of(context: ExecutionContext, lookup: str) -> Value:
    """Return the primary name of the record that a lookup points to."""
    reference = context.record.get(lookup)
    if not isinstance(reference, EntityReference):
        return None
    name = context.system.catalog.tables[reference.table].primary_name
    return by_id(context.system, reference, name).get(name) if name is not None else None


def belonging_steps() -> tuple[Step, ...]:
    """Return the steps of notes, attachments, addresses, queue items and connections."""
    handlers: tuple[tuple[Handler, tuple[str, ...], tuple[str, ...]], ...] = (
        (name_types_of_activities, _OF_ACTIVITIES, _BOTH),
        (note_types, tuple(_TYPES), _BOTH),
        (note_codes, tuple(_CODES), _BOTH),
        (measure_content, tuple(_CONTENTS), _BOTH),
        (name_connection, ("connection",), _BOTH),
        (enter_queue, ("queueitem",), ("Create",)),
    )
    return tuple(
        Step(message, table, Stage.PRE_OPERATION, handler)
        for handler, tables, messages in handlers
        for table in tables
        for message in messages
    )


_BOTH: Final = ("Create", "Update")
