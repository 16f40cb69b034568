"""How a user sees values, read from the user's settings once per stamp; currencies are those of the organization."""

from __future__ import annotations

from typing import Final

from entities.display import (
    ENGLISH_LANGUAGE,
    Currencies,
    Currency,
    DateFormat,
    Display,
    NumberFormat,
    group_sizes,
)
from entities.time_zones import zone_named
from entities.values import Guid
from odata_server.engine.database import Connection
from odata_server.engine.storage import SqlValue

_SETTINGS: Final = (
    "SELECT timezonecode, uilanguageid, dateformatstring, timeformatstring, dateseparator, timeseparator,"
    " amdesignator, pmdesignator, decimalsymbol, numberseparator, numbergroupformat, negativeformatcode,"
    " currencyformatcode, negativecurrencyformatcode FROM usersettings WHERE systemuserid = $1"
)
_CURRENCIES: Final = (
    "SELECT c.transactioncurrencyid, c.currencysymbol, c.currencyprecision,"
    " EXISTS (SELECT 1 FROM organization AS o WHERE o.basecurrencyid = c.transactioncurrencyid)"
    " FROM transactioncurrency AS c ORDER BY c.transactioncurrencyid"
)
_DATES: Final = DateFormat()
_NUMBERS: Final = NumberFormat()
_PRECISION: Final = 2


def currencies(connection: Connection) -> Currencies:
    """Return the organization's currencies."""
    found = [
        (Guid(str(key)), Currency(str(symbol or ""), _whole(precision, _PRECISION)), bool(is_base))
        for key, symbol, precision, is_base in connection.execute(_CURRENCIES).fetchall()
    ]
    base = next((currency for _, currency, is_base in found if is_base), None)
    return Currencies(tuple((key, currency) for key, currency, _ in found), base)


def display_of(connection: Connection, user_id: Guid, known: Currencies) -> Display:
    """Return how a user sees values; what the settings leave empty is English (United States) in UTC.

    Args:
        connection: a connection that may read.
        user_id: the user.
        known: the organization's currencies.
    """
    row = connection.execute(_SETTINGS, (user_id,)).fetchone()
    if row is None:
        return Display(currencies=known)
    zone, language, *texts = row
    day, time, day_separator, time_separator, morning, afternoon, decimal, separator, groups, *codes = texts
    dates = DateFormat(
        _text(day, _DATES.date),
        _text(time, _DATES.time),
        _text(day_separator, _DATES.date_separator),
        _text(time_separator, _DATES.time_separator),
        # Cultures without halves of the day have empty designators.
        morning if isinstance(morning, str) else _DATES.morning,
        afternoon if isinstance(afternoon, str) else _DATES.afternoon,
    )
    numbers = NumberFormat(
        _text(decimal, _NUMBERS.decimal),
        separator if isinstance(separator, str) else _NUMBERS.separator,
        group_sizes(groups) if isinstance(groups, str) and groups else _NUMBERS.groups,
        *(
            _whole(code, otherwise)
            for code, otherwise in zip(
                codes, (_NUMBERS.negative, _NUMBERS.amount, _NUMBERS.negative_amount), strict=True
            )
        ),
    )
    return Display(zone_named(zone) or "UTC", dates, numbers, known, _whole(language, 0) or ENGLISH_LANGUAGE)


def _text(value: SqlValue, otherwise: str) -> str:
    return value if isinstance(value, str) and value else otherwise


def _whole(value: SqlValue, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
