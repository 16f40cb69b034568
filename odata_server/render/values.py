"""One value of a record as the JSON token that SQLite's `json_object` would print for it.

Display texts follow the caller's settings; where nobody has
changed any, `$20,000.00`, `1,234`, `4/7/2023 2:59 PM` (Learn: "Formatted values").
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, TypeAlias

import orjson
from orjson import Fragment

from entities.display import amount_text, day_text, moment_text, number_text
from entities.metadata.columns import ColumnType, DateTimeType, DecimalType, DoubleType, ManagedPropertyType, MoneyType
from entities.query import ColumnRef
from entities.values import ChoiceSet, EntityReference, KeyReference, Value, utc_text
from odata_server.edm.display_rules import CURRENCY, amount_format, in_base_currency, zone_of_display
from odata_server.edm.managed_properties import managed_property
from odata_server.edm.representation import Facet, Member

Token: TypeAlias = str | int | bool | Fragment | None
"""What orjson writes as a JSON value; a fragment is JSON already."""

EMPTY_MOMENT: Final = "1900-01-01T00:00:00Z"
"""What finance-and-operations prints for a date-time that was never set."""

_MONEY_DIGITS: Final = 4
Formatter: TypeAlias = Callable[[Value, str | None], str | None]
"""Gives the display text of a value; the second argument is the id of the currency of the record's amounts."""

_LONGEST_INTEGER: Final = 64
"""Bits from which on orjson takes no integer."""
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_FIFTEEN: Final = Context(prec=15, rounding=ROUND_HALF_UP)


def quoted(text: str) -> str:
    """Return text as a JSON string: control characters escaped, everything else raw.

    Args:
        text: any text without lone surrogates.
    """
    return orjson.dumps(text).decode()


def fixed(number: Decimal, digits: int) -> str:
    """Return an exact number with so many digits after the point, never in scientific form."""
    return format(_EXACT.quantize(number, Decimal(1).scaleb(-digits)), "f")


def double(number: float) -> str:
    """Return a double with up to 15 significant digits, as SQLite's `%!.15g` prints it."""
    if number == 0:
        return "0.0"
    rounded = _FIFTEEN.create_decimal(Decimal(number))
    text = format(float(rounded), ".15g")
    mantissa, exponent_sign, exponent = text.partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + exponent_sign + exponent


def shifted(number: int, digits: int) -> str:
    """Return a number that is stored without its decimal point, with so many digits behind it."""
    if not digits:
        return str(number)
    text = str(abs(number)).rjust(digits + 1, "0")
    return f"{'-' if number < 0 else ''}{text[:-digits]}.{text[-digits:]}"


def token(value: Value, type_: ColumnType) -> Token:
    """Return a value in the Web API's form; a lookup is its GUID."""
    match value:
        case None:
            return None
        case bool():
            return Fragment(managed_property(type_, value=value)) if isinstance(type_, ManagedPropertyType) else value
        case int() if isinstance(type_, (DecimalType, MoneyType)):
            return Fragment(fixed(Decimal(value), _digits(type_)))
        case int():
            return value if value.bit_length() < _LONGEST_INTEGER else Fragment(str(value))
        case float():
            return Fragment(double(value))
        case Decimal():
            return Fragment(fixed(value, _digits(type_)))
        case bytes():
            return b64encode(value).decode()
        case str() | datetime() | date() | EntityReference() | KeyReference() | ChoiceSet():
            return _text(value)


def plain(value: Value, type_: ColumnType) -> str:
    """Return a value as JSON text in the Web API's form; null is `null`, a lookup its GUID."""
    return orjson.dumps(token(value, type_)).decode()


def _digits(type_: ColumnType) -> int:
    return type_.precision if isinstance(type_, DecimalType) else _MONEY_DIGITS


def _text(value: str | date | EntityReference | KeyReference | ChoiceSet) -> str:
    match value:
        case str():
            return value
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return value.id
        case ChoiceSet():
            return ",".join(map(str, value.options))
        case KeyReference():
            raise AssertionError("a stored row holds no unresolved key")


def formatter(member: Member) -> Formatter:
    """Return what gives the display text of a value, None where it has none (Learn: "Formatted values").

    The second argument is the transaction currency of the record, for an amount; without one it is in the base
    currency.

    Args:
        member: brings the option labels, the column type and the caller's way to see values.
    """
    labels = dict(member.names)

    def formatted(value: Value, currency_id: str | None) -> str | None:
        match value:
            case bool() | int() | str() if labels:
                return labels.get(value if isinstance(value, str) else int(value))
            case ChoiceSet():
                return "; ".join(labels.get(option, str(option)) for option in value.options)
            case EntityReference():
                return value.name
            case None | str() | bytes() | KeyReference():
                return None
            case bool() | int() | float() | Decimal() | date():
                return _scalar_text(value, member, currency_id)

    return formatted


def currency_column(member: Member) -> ColumnRef | None:
    """Return the column with the transaction currency that a member's amounts are in; None for the base currency.

    Amounts in base currency and aggregated ones, which count records of any currency, are in none of their own.
    """
    column = member.column
    is_own = isinstance(member.type, MoneyType) and member.facet is Facet.FORMATTED
    return ColumnRef(CURRENCY, column.alias) if is_own and not in_base_currency(column.name) else None


def _scalar_text(value: float | Decimal | date, member: Member, currency_id: str | None) -> str:
    match value:
        case bool():
            return "Yes" if value else "No"
        case int() | float() | Decimal():
            return _number_text(value, member, currency_id)
        case date():
            return _date_text(value, member)


def _number_text(value: float | Decimal, member: Member, currency_id: str | None) -> str:
    type_, numbers = member.type, member.display.numbers
    if isinstance(type_, MoneyType):
        symbol, digits = amount_format(member.display.currencies.of(currency_id), type_)
        return amount_text(_grouped(Decimal(value), digits), symbol, numbers)
    if isinstance(type_, (DecimalType, DoubleType)):
        return number_text(_grouped(Decimal(value), type_.precision), numbers)
    return number_text(f"{value:,}", numbers)


def _grouped(number: Decimal, digits: int) -> str:
    rounded = _EXACT.quantize(number, Decimal(1).scaleb(-digits))
    # What rounds to nothing is not below it.
    return format(rounded or abs(rounded), ",f")


def _date_text(value: date, member: Member) -> str:
    display, type_ = member.display, member.type
    zone = zone_of_display(display, type_)
    if isinstance(value, datetime) and not (isinstance(type_, DateTimeType) and type_.format == "DateOnly"):
        return moment_text(value, zone, display.dates)
    return day_text(value, zone, display.dates)
