"""The members of a body that show columns by their own names: nearly all that bodies have, and all that many have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from entities.errors import InvalidPayload
from entities.metadata.tables import Table
from entities.values import Value
from odata_server.bind.coerce import NoValue, reader
from odata_server.bind.dialect import WEB_API, Dialect, Style, column_of
from odata_server.bind.json_body import refusal


@dataclass(frozen=True, slots=True)
class _Plain:
    """A member that shows a column by its own name, and when it counts."""

    read: Callable[[object], Value]
    creates: bool
    updates: bool


def _plain_members(table: Table) -> Mapping[str, _Plain]:
    """Return the members of the Web API that show columns by their own names: nearly all that bodies have."""
    return {
        column.logical_name: _Plain(reader(column), column.valid_for_create, column.valid_for_update)
        for column in table.columns
        if column_of(WEB_API, table, column.logical_name) is column and column.logical_name != table.primary_id
    }


def plain_values(
    members: Mapping[str, object], table: Table, dialect: Dialect, *, creates: bool, updates: bool
) -> tuple[dict[str, Value], dict[str, object]]:
    """Return the values of the members that show columns by their own names, and all other members.

    Args:
        members: the decoded JSON object.
        table: the table it is a record of.
        dialect: the service; only the Web API shows columns by their own names.
        creates: whether columns that can be set on create are taken.
        updates: whether columns that can be set on update are taken.

    Raises:
        InvalidPayload: a value has another type than its column.
    """
    plain = table.derived(_plain_members) if dialect.style is Style.WEB_API else {}
    record: dict[str, Value] = {}
    others: dict[str, object] = {}
    try:
        for name, json_value in members.items():
            member = plain.get(name)
            if member is None:
                others[name] = json_value
                continue
            value = member.read(json_value)
            if (creates and member.creates) or (updates and member.updates):
                record[name] = value
    except NoValue as error:
        raise unreadable(error, table) from error
    return record, others


def unreadable(error: NoValue, table: Table) -> InvalidPayload:
    """Return the refusal of a body in which a value is none of its column."""
    return refusal(table.entity_set_name, f"Microsoft.OData.ODataException: {error.message}")
