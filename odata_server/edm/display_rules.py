"""Which zone, symbol and precision a column's values are shown with: what both makers of JSON decide alike."""

from __future__ import annotations

from typing import Final

from entities.display import Currency, Display
from entities.metadata.columns import ColumnType, DateTimeBehavior, DateTimeType, MoneyType

CURRENCY: Final = "transactioncurrencyid"
"""The lookup of a record that says what its amounts are in."""

_BASE: Final = "_base"
_UTC: Final = "UTC"
_DOLLAR: Final = "$"


def in_base_currency(column: str) -> bool:
    """Say whether a column holds an amount in the organization's base currency (Learn: "Money columns")."""
    return column.endswith(_BASE)


def amount_format(currency: Currency | None, type_: MoneyType) -> tuple[str, int]:
    """Return the symbol of an amount and its digits behind the decimal symbol: the currency's, else the column's."""
    return (currency.symbol, currency.precision) if currency else (_DOLLAR, type_.precision)


def zone_of_display(display: Display, type_: ColumnType) -> str:
    """Return the time zone that a date is shown in: the caller's where the column's behavior is user local.

    Dates without time and date-times without time zone are shown as they are (Learn: "Behavior and format of the date
    and time column").
    """
    is_local = isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.USER_LOCAL
    return display.time_zone if is_local else _UTC
