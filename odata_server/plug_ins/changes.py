"""What a function has made of the record that is about to be written: names and references are checked.

Types, lengths and ranges are checked with all other columns, right before the record is written.
"""

from __future__ import annotations

from entities.errors import InvalidArgument
from entities.messages import table_of
from entities.pipeline import ExecutionContext
from entities.standard.lookups import by_id
from entities.values import EntityReference, KeyReference, Record, Value


def check_changes(context: ExecutionContext, before: Record) -> None:
    """Check the columns that a function has set.

    Args:
        context: the step, with the record as the function left it.
        before: the record as the function got it.

    Raises:
        InvalidArgument: a name is no column, a text cannot be written, or a lookup does not name a record by its id.
        RecordNotFound: a lookup names a record that is not there.
    """
    for name, value in list(context.record.items()):
        if name not in before or before[name] is not value:
            _check(context, name, value)
            # However the function has set it, from here on it is known to have been set.
            context.record[name] = value


def _check(context: ExecutionContext, name: str, value: Value) -> None:
    tables, own = context.system.catalog.tables, table_of(context.message) or ""
    if own not in tables or name not in tables[own].by_name:
        raise InvalidArgument(
            f"'{own}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
            code="0x80041103",
        )
    if isinstance(value, str) and value.encode("utf-8", "ignore").decode() != value:
        raise InvalidArgument(f"The value of '{name}' holds half a character, which no text can.")
    if isinstance(value, KeyReference) or (isinstance(value, EntityReference) and value.table not in tables):
        raise InvalidArgument(f"The lookup '{name}' must name a record of a table by its id.")
    if isinstance(value, EntityReference):
        by_id(context.system, value, tables[value.table].primary_id)
