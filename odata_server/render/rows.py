"""Records and a row shape as JSON: the same bytes that the database's compiled statement returns.

Used where the database did not make the wire form: virtual tables, evaluated queries, single values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import repeat
from typing import Final, assert_never

from entities.messages import Rows
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.values import EMPTY_GUID, EntityReference, Guid, Record, Value
from odata_server.edm.etags import finance_etag, web_api_etag
from odata_server.edm.representation import Expanded, Facet, Member, RowShape
from odata_server.render.values import EMPTY_MOMENT, column_value, currency_of, fixed, formatted, plain, quoted

_ZERO: Final = Decimal(0)
_NULL: Final = "null"


def rows(
    records: Iterable[Record],
    shape: RowShape,
    *,
    id_column: str = "",
    expanded: Iterable[tuple[Rows, ...]] = (),
) -> bytes:
    """Return the rows' JSON objects joined by commas, without brackets.

    Args:
        records: values by column logical name, columns of linked tables by `alias.name`.
        shape: the members of each row in wire order.
        id_column: the table's primary id, which a finance-and-operations entity tag needs.
        expanded: what the query's expansions add to each record, in the order of the records.
    """
    added = expanded if shape.expanded else repeat(())
    return ",".join([row(r, shape, id_column=id_column, expanded=found) for r, found in zip(records, added)]).encode()  # noqa: B905 - `repeat` has no end


def row(record: Record, shape: RowShape, *, id_column: str = "", expanded: tuple[Rows, ...] = ()) -> str:
    """Return one record as a JSON object without blanks, with the records that its expansions add."""
    parts = []
    for member in shape.members:
        token = _token(record, member, id_column)
        if token is not None and not (member.omits_null and token == _NULL):
            parts.append(f"{quoted(member.name)}:{token}")
    waiting = iter(expanded)
    for added in shape.expanded:
        found = [next(waiting) for _ in added.shapes]
        parts.extend(_expanded(added, found, record))
    return f"{{{','.join(parts)}}}"


def _expanded(added: Expanded, found: list[Rows], record: Record) -> Iterator[str]:
    """Yield the member with the records of an expanded navigation property, and the one with the link to them."""
    tokens = [
        row(one, shape, expanded=inner)
        for shape, answer in zip(added.shapes, found, strict=True)
        for one, inner in zip(answer.records, answer.expanded or repeat(()), strict=False)
    ]
    if not added.is_collection:
        yield f"{quoted(added.name)}:{tokens[0] if tokens else 'null'}"
        return
    yield f"{quoted(added.name)}:[{','.join(tokens)}]"
    if added.link is None:
        return
    url = f"{added.link.before}{_identifier(record.get(added.link.key))}{added.link.after}"
    cookie = added.link.cookie
    if cookie is None:
        yield f"{quoted(added.name + '@odata.nextLink')}:{quoted(url)}"
    elif len(tokens) == cookie.size:
        first, last = (_identifier(found[0].records[place].get(cookie.key)) for place in (0, -1))
        url += f"{cookie.before}{last}{cookie.between}{first}{cookie.after}"
        yield f"{quoted(added.name + '@odata.nextLink')}:{quoted(url)}"


def _token(record: Record, member: Member, id_column: str) -> str | None:
    """Return a member's JSON value, None when the member is left out."""
    value = column_value(record, member)
    match member.facet:
        case Facet.VALUE | Facet.AGGREGATE:
            return plain(value, member.type)
        case Facet.FINANCE_VALUE:
            return finance(value, member)
        case Facet.FORMATTED | Facet.AGGREGATE_FORMATTED:
            return _quoted_or_none(formatted(value, member, currency_of(record, member)))
        case Facet.LOOKUP_LOGICAL_NAME:
            return quoted(value.table) if isinstance(value, EntityReference) else None
        case Facet.TYPE:
            return None if value is None else quoted(member.base)
        case Facet.VALUE_AS_TEXT | Facet.AGGREGATE_AS_TEXT:
            return "null" if value is None else quoted(plain(value, member.type))
        case Facet.NAVIGATION:
            named = value if isinstance(value, EntityReference) else None
            return _quoted_or_none(dict(member.names).get(named.table) if named else None)
        case Facet.ETAG | Facet.ENTITY_ID | Facet.FINANCE_ETAG:
            return None if value is None else quoted(_derived(value, record, member, id_column))
        case _:
            assert_never(member.facet)


def _derived(value: Value, record: Record, member: Member, id_column: str) -> str:
    """Return what is computed from a version or an id that is there."""
    if member.facet is Facet.ENTITY_ID:
        return member.base.replace("{id}", _identifier(value))
    version = int(plain(value, member.type))
    if member.facet is Facet.ETAG:
        return web_api_etag(version)
    # The record of an expansion is of another table than the rows.
    return finance_etag(version, _identifier(record.get(member.base or id_column)))


def _quoted_or_none(text: str | None) -> str | None:
    return None if text is None else quoted(text)


def _identifier(value: Value) -> str:
    return value.id if isinstance(value, EntityReference) else plain(value, UniqueIdentifierType()).strip('"')


def finance(value: Value, member: Member) -> str:
    """Return a value in the `/data` dialect: choices by name, and no nulls where the type has an empty value.

    Args:
        value: the value of the member's column.
        member: `names` holds the choice's external names.
    """
    if value is None:
        return _empty(member)
    if isinstance(value, int) and member.names:
        return _quoted_or_none(dict(member.names).get(int(value))) or "null"
    if isinstance(value, date) and not isinstance(value, datetime):
        return quoted(f"{value.isoformat()}T12:00:00Z")
    return plain(value, member.type)


def _empty(member: Member) -> str:
    """Return what finance-and-operations prints for a value that was never set."""
    match member.type:
        case StringType() | MemoType() | EntityNameType() | MultiChoiceType():
            return '""'
        case IntegerType() | BigIntType():
            return "0"
        case DecimalType() | MoneyType() | DoubleType():
            return _empty_number(member.type)
        case DateTimeType():
            return quoted(EMPTY_MOMENT)
        case ChoiceType() | StateType() | StatusType() | BooleanType():
            return _quoted_or_none(dict(member.names).get(0)) or "null"
        case UniqueIdentifierType() | LookupType():
            return quoted(Guid(EMPTY_GUID))
        case ManagedPropertyType() | FileType() | ImageType():
            return "null"
        case _:
            assert_never(member.type)


def _empty_number(type_: ColumnType) -> str:
    match type_:
        case DecimalType(precision=digits):
            return fixed(_ZERO, digits)
        case MoneyType():
            return fixed(_ZERO, 4)
        case _:
            return "0.0"
