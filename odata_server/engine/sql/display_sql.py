"""Display texts as SQL, where the database makes the JSON of rows: dates, numbers and amounts as the caller sees them.

English in UTC is plain SQL, which is quickest; everything else calls the functions of `entities.display` that the
connection knows. `render.values` writes the same texts from records.
"""

from __future__ import annotations

from typing import assert_never

from entities.display import ENGLISH_DATES, ENGLISH_NUMBERS
from entities.grouping import result_digits
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
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
from odata_server.edm.display_rules import CURRENCY, amount_format, in_base_currency, zone_of_display
from odata_server.edm.representation import Member
from odata_server.engine.database import quoted
from odata_server.engine.sql.predicates import Scope
from odata_server.engine.sqlite.display_functions import parameter
from odata_server.engine.storage import scale_of


def display_sql(scope: Scope, column: str, member: Member) -> str:
    """Return the display text of a stored value that has neither a label nor a name.

    Args:
        scope: the statement; formats are parameters of it.
        column: the SQL of the value.
        member: brings the column's type and the caller's way to see values.
    """
    type_ = member.type
    match type_:
        case BooleanType() | ManagedPropertyType():
            return f"CASE {column} WHEN 1 THEN 'Yes' WHEN 0 THEN 'No' END"
        case IntegerType() | BigIntType():
            return _number(scope, member, f"CASE WHEN {column} IS NOT NULL THEN printf('%,d', {column}) END")
        case DecimalType():
            return _number(scope, member, exact_sql(column, type_.precision, type_.precision, "%,d"))
        case MoneyType():
            return _amount_sql(scope, column, member, type_)
        case DoubleType():
            # What rounds to nothing is not below it.
            nothing = f"{0:.{type_.precision}f}"
            shown = f"coalesce(nullif(printf('%,.{type_.precision}f', {column}), '-{nothing}'), '{nothing}')"
            return _number(scope, member, f"CASE WHEN {column} IS NOT NULL THEN {shown} END")
        case DateTimeType():
            return _moment_sql(scope, column, member, type_)
        case (
            UniqueIdentifierType()
            | StringType()
            | MemoType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | LookupType()
            | MultiChoiceType()
            | EntityNameType()
            | FileType()
            | ImageType()
        ):
            return "NULL"
        case _:
            assert_never(type_)


def aggregate_display_sql(scope: Scope, column: str, member: Member) -> str:
    """Return the display text of an aggregated exact number; amounts are shown in the base currency."""
    digits = result_digits(member.type)
    if isinstance(member.type, MoneyType):
        symbol, shown = amount_format(member.display.currencies.base, member.type)
        place = _constant(scope, symbol)
        if member.display.numbers == ENGLISH_NUMBERS:
            return f"exact_display({column}, {digits}, {shown}, {place})"
        return _amount(scope, member, f"exact_display({column}, {digits}, {shown}, '')", place)
    shown = member.type.precision if isinstance(member.type, DecimalType) else 0
    return _number(scope, member, f"exact_display({column}, {digits}, {shown}, '')")


def exact_sql(column: str, scale: int, digits: int, whole: str, symbol: str = "") -> str:
    """Return a scaled integer as text with at most `scale` digits after the point, rounded half up.

    Args:
        column: the SQL of the integer.
        scale: the digits after the point that it stores.
        digits: those that are shown.
        whole: the format of what stands before the point.
        symbol: SQL of a text between the sign and the digits.
    """
    size = f"abs({column})"
    if digits < scale:
        step = 10 ** (scale - digits)
        size = f"(({size} + {step // 2}) / {step})"
    unit = 10**digits
    sign = f"CASE WHEN {column} < 0 AND {size} <> 0 THEN '-' ELSE '' END" + (f" || {symbol}" if symbol else "")
    if digits == 0:
        return f"CASE WHEN {column} IS NOT NULL THEN {sign} || printf('{whole}', {size}) END"
    fraction = f"printf('%0{digits}d', {size} % {unit})"
    # printf turns NULL into 0; the sum with the column keeps a missing value missing.
    return f"CASE WHEN {column} IS NOT NULL THEN {sign} || printf('{whole}', {size} / {unit}) || '.' || {fraction} END"


def _constant(scope: Scope, value: str) -> str:
    return scope.parameter(lambda _: value)


def _number(scope: Scope, member: Member, english: str) -> str:
    numbers = member.display.numbers
    if numbers == ENGLISH_NUMBERS:
        return english
    return f"number_display({english}, {_constant(scope, parameter(numbers))})"


def _amount(scope: Scope, member: Member, english: str, symbol: str) -> str:
    return f"amount_display({english}, {symbol}, {_constant(scope, parameter(member.display.numbers))})"


def _amount_sql(scope: Scope, column: str, member: Member, type_: MoneyType) -> str:
    """Return an amount with the symbol and the precision of its currency.

    They are constants where all amounts of the column share them; else they are read with the record's currency.
    """
    found = member.display.currencies
    base = amount_format(found.base, type_)
    currency = _currency_sql(scope, member)
    if currency is None:
        return _amount_text(scope, column, member, base[1], _constant(scope, base[0]))
    shared = {base, *(amount_format(one, type_) for _, one in found.by_id)}
    symbol = _constant(scope, base[0])
    if len({symbols for symbols, _ in shared}) > 1:
        symbol = _read(currency, "currencysymbol", symbol)
    precisions = sorted({digits for _, digits in shared})
    shown = [_amount_text(scope, column, member, digits, symbol) for digits in precisions]
    if len(shown) == 1:
        return shown[0]
    arms = " ".join(f"WHEN {digits} THEN {text}" for digits, text in zip(precisions, shown, strict=True))
    return f"CASE {_read(currency, 'currencyprecision', str(base[1]))} {arms} END"


def _amount_text(scope: Scope, column: str, member: Member, digits: int, symbol: str) -> str:
    assert isinstance(member.type, MoneyType)
    scale = scale_of(member.type)
    if member.display.numbers == ENGLISH_NUMBERS:
        return exact_sql(column, scale, digits, "%,d", symbol)
    return _amount(scope, member, exact_sql(column, scale, digits, "%,d"), symbol)


def _currency_sql(scope: Scope, member: Member) -> str | None:
    """Return the lookup that says what an amount is in, None where it is the base currency."""
    alias, table = scope.tables[member.column.alias]
    column = table.by_name.get(CURRENCY)
    if column is None or not isinstance(column.type, LookupType) or in_base_currency(member.column.name):
        return None
    return f"{alias}.{quoted(CURRENCY)}"


def _read(currency: str, wanted: str, otherwise: str) -> str:
    return (
        f"coalesce((SELECT c.{quoted(wanted)} FROM transactioncurrency AS c"
        f" WHERE c.transactioncurrencyid = {currency}), {otherwise})"
    )


def _moment_sql(scope: Scope, column: str, member: Member, type_: DateTimeType) -> str:
    zone, dates = zone_of_display(member.display, type_), member.display.dates
    is_day = type_.format == "DateOnly"
    if zone != "UTC" or dates != ENGLISH_DATES:
        function = "day_display" if is_day else "moment_display"
        return f"{function}({column}, {_constant(scope, zone)}, {_constant(scope, parameter(dates))})"
    month, day = (f"CAST(substr({column}, {start}, 2) AS INTEGER)" for start in (6, 9))
    shown = f"{month} || '/' || {day} || '/' || CAST(substr({column}, 1, 4) AS INTEGER)"
    if is_day:
        return shown
    hour = f"CAST(substr({column}, 12, 2) AS INTEGER)"
    half = f"CASE WHEN {hour} < 12 THEN ' AM' ELSE ' PM' END"
    return f"{shown} || ' ' || (({hour} + 11) % 12 + 1) || ':' || substr({column}, 15, 2) || {half}"
