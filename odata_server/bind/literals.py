"""A literal of the URL as the value of the column it is compared with.

Microsoft.OData refuses operands of incompatible types; Dataverse also takes a GUID in quotes, and
finance-and-operations takes an option's name in quotes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.columns import Column, DateTimeType, MultiChoiceType
from entities.values import ChoiceSet, Value, guid
from odata_server.bind.coerce import day, is_date_only, moment
from odata_server.bind.dialect import Dialect, Style, option_names
from odata_server.edm.naming import edm_type
from odata_server.syntax.trees import EnumLiteral, Literal, LiteralKind

_WHOLE: Final = frozenset({"Edm.Int32", "Edm.Int64"})
_EXACT: Final = frozenset({"Edm.Decimal", "Edm.Double"})
NUMBERS: Final = _WHOLE | _EXACT
"""Types that compare with one another."""


LITERAL_TYPES: Final[dict[LiteralKind, str]] = {
    LiteralKind.NULL: "Edm.Null",
    LiteralKind.BOOLEAN: "Edm.Boolean",
    LiteralKind.STRING: "Edm.String",
    LiteralKind.INTEGER: "Edm.Int32",
    LiteralKind.DECIMAL: "Edm.Decimal",
    LiteralKind.DOUBLE: "Edm.Double",
    LiteralKind.GUID: "Edm.Guid",
    LiteralKind.DATE: "Edm.Date",
    LiteralKind.DATE_TIME: "Edm.DateTimeOffset",
    LiteralKind.TIME: "Edm.TimeOfDay",
    LiteralKind.DURATION: "Edm.Duration",
    LiteralKind.BINARY: "Edm.Binary",
    LiteralKind.GEOGRAPHY: "Edm.Geography",
    LiteralKind.GEOMETRY: "Edm.Geometry",
}


def incompatible(column: Column, literal_type: str, operator: str) -> MalformedRequest:
    """Return the refusal for operands that cannot be compared."""
    return MalformedRequest(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{edm_type(column.type)}' and '{literal_type}' for operator kind '{operator}'."
    )


def literal_value(literal: Literal | EnumLiteral, column: Column, dialect: Dialect, operator: str = "Equal") -> Value:
    """Return a literal as a value of a column; null stays None.

    Args:
        literal: as parsed.
        column: what it is compared with.
        dialect: finance-and-operations compares choices by name.
        operator: the operator's name in refusals.

    Raises:
        MalformedRequest: the types cannot be compared.
    """
    if isinstance(literal, EnumLiteral):
        return _option(literal.members, column, dialect, literal.type_name, operator)
    if literal.kind is LiteralKind.NULL:
        return None
    found = _by_type(literal, column, dialect)
    if found is None:
        raise incompatible(column, LITERAL_TYPES[literal.kind], operator)
    return found


def _by_type(literal: Literal, column: Column, dialect: Dialect) -> Value:
    """Return the value, None when the kinds do not fit."""
    wanted = edm_type(column.type)
    match literal.kind:
        case LiteralKind.STRING:
            return _from_string(str(literal.value), column, wanted, dialect)
        case LiteralKind.INTEGER | LiteralKind.DECIMAL | LiteralKind.DOUBLE:
            return _from_number(literal, wanted, dialect, column)
        case LiteralKind.BOOLEAN:
            return bool(literal.value) if wanted == "Edm.Boolean" else None
        case LiteralKind.GUID:
            return guid(literal.text) if wanted == "Edm.Guid" else None
        case LiteralKind.DATE | LiteralKind.DATE_TIME:
            return _from_moment(literal.text, column)
        case _:
            return None


def _from_string(text: str, column: Column, wanted: str, dialect: Dialect) -> Value:
    if dialect.style is Style.FINANCE and wanted in {"Edm.Int32", "Edm.Boolean"}:
        return _named_option(text, column)
    if wanted == "Edm.Guid":
        return guid(text)
    if isinstance(column.type, MultiChoiceType):
        return _choice_set(text)
    return text if wanted == "Edm.String" else None


def _choice_set(text: str) -> ChoiceSet | None:
    try:
        return ChoiceSet(tuple(sorted({int(part) for part in text.split(",")})))
    except ValueError:
        return None


def _named_option(text: str, column: Column) -> Value:
    names = option_names(column.type)
    if not names:
        return None
    found = names.get(text, next((v for n, v in names.items() if n.lower() == text.lower()), None))
    if found is None:
        raise MalformedRequest(f"The string '{text}' is not a valid enumeration type constant.")
    return bool(found) if edm_type(column.type) == "Edm.Boolean" else found


def _option(members: tuple[str, ...], column: Column, dialect: Dialect, type_name: str, operator: str) -> Value:
    if dialect.style is not Style.FINANCE or not option_names(column.type):
        raise incompatible(column, type_name, operator)
    return _named_option(members[0], column)


def _from_number(literal: Literal, wanted: str, dialect: Dialect, column: Column) -> Value:
    if wanted in _WHOLE and not (dialect.style is Style.FINANCE and option_names(column.type)):
        return int(literal.text) if literal.kind is LiteralKind.INTEGER else _exact(literal.text)
    if wanted not in _EXACT:
        return None
    return float(literal.text) if wanted == "Edm.Double" else _exact(literal.text)


def _exact(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # A bound beyond every column's range would only cost memory when it is scaled.
    return number if number.is_finite() and abs(number.adjusted()) <= 30 else None  # noqa: PLR2004 - digits of Edm.Decimal


def _from_moment(text: str, column: Column) -> datetime | date | None:
    if not isinstance(column.type, DateTimeType):
        return None
    found_day = day(text)
    if found_day is not None:
        return found_day if is_date_only(column.type) else datetime.combine(found_day, time(), UTC)
    found = moment(text)
    return found.date() if found is not None and is_date_only(column.type) else found
