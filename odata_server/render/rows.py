"""Records and a row shape as JSON: the same bytes that the database's compiled statement returns.

Used where the database did not make the wire form: virtual tables, evaluated queries, single values.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeBehavior,
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
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.render.values import EMPTY_MOMENT, column_value, fixed, formatted, plain, quoted

_RECORD_DIGITS: Final = 16
_ZERO: Final = Decimal(0)


def rows(records: Iterable[Record], shape: RowShape) -> bytes:
    """Return the rows' JSON objects joined by commas, without brackets.

    Args:
        records: values by column logical name, columns of linked tables by `alias.name`.
        shape: the members of each row in wire order.
    """
    return ",".join([row(record, shape) for record in records]).encode()


def row(record: Record, shape: RowShape) -> str:
    """Return one record as a JSON object without blanks."""
    parts = []
    for member in shape.members:
        token = _token(record, member)
        if token is not None:
            parts.append(f"{quoted(member.name)}:{token}")
    return f"{{{','.join(parts)}}}"


def _token(record: Record, member: Member) -> str | None:
    """Return a member's JSON value, None when the member is left out."""
    value = column_value(record, member)
    match member.facet:
        case Facet.VALUE:
            return plain(value, member.type)
        case Facet.FINANCE_VALUE:
            return finance(value, member)
        case Facet.FORMATTED:
            return _quoted_or_none(formatted(value, member))
        case Facet.LOOKUP_LOGICAL_NAME:
            return quoted(value.table) if isinstance(value, EntityReference) else None
        case Facet.NAVIGATION:
            named = value if isinstance(value, EntityReference) else None
            return _quoted_or_none(dict(member.names).get(named.table) if named else None)
        case Facet.ETAG:
            return None if value is None else quoted(etag(int(plain(value, member.type))))
        case Facet.ENTITY_ID:
            return None if value is None else quoted(member.base.replace("{id}", _identifier(value)))
        case Facet.FINANCE_ETAG:
            return (
                None if value is None else quoted(finance_etag(int(plain(value, member.type)), record.get(member.base)))
            )
        case _:
            assert_never(member.facet)


def _quoted_or_none(text: str | None) -> str | None:
    return None if text is None else quoted(text)


def _identifier(value: Value) -> str:
    return value.id if isinstance(value, EntityReference) else plain(value, UniqueIdentifierType()).strip('"')


def etag(version: int) -> str:
    """Return the weak entity tag of a row version (Learn: "Perform conditional operations")."""
    return f'W/"{version}"'


def finance_etag(version: int, record_id: Value) -> str:
    """Return the entity tag of finance-and-operations: base64 of `'version,record number'`.

    Args:
        version: the row version.
        record_id: the record's id, whose last 16 hexadecimal digits are the record number.
    """
    number = int(record_id.replace("-", "")[-_RECORD_DIGITS:], 16) if isinstance(record_id, str) else 0
    return f'W/"{b64encode(f"{chr(39)}{version},{number}{chr(39)}".encode()).decode()}"'


def finance(value: Value, member: Member) -> str:
    """Return a value in the `/data` dialect: choices by name, and no nulls where the type has an empty value.

    Args:
        value: the value of the member's column.
        member: `names` holds the choice's external names.
    """
    if value is None:
        return _empty(member)
    if isinstance(value, int) and member.names:
        return quoted(dict(member.names).get(int(value), str(int(value))))
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
        case DateTimeType(behavior=behavior):
            return quoted(EMPTY_MOMENT[:10] if behavior is DateTimeBehavior.DATE_ONLY else EMPTY_MOMENT)
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
