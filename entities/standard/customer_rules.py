"""What Dataverse computes on customers and people: full names, composite addresses, amounts in the base currency."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import cast

from entities.metadata.columns import MoneyType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import ALL_ROWS
from entities.standard.lookups import by_id, first
from entities.values import EntityReference, Record, Value

_NAMES = ("firstname", "middlename", "lastname")
_LINES = ("line1", "line2", "line3")
_PLACE = ("city", "stateorprovince", "postalcode", "country")
_ADDRESSES = MappingProxyType(
    {prefix: tuple(prefix + part for part in (*_LINES, *_PLACE)) for prefix in ("address1_", "address2_")}
)


def full_name(first_name: Value, middle_name: Value, last_name: Value) -> str | None:
    """Return a person's full name, first name first (organization setting fullnameconventioncode 1)."""
    return " ".join(str(part) for part in (first_name, middle_name, last_name) if part) or None


def composite_address(record: Record, prefix: str) -> str | None:
    """Return an address as one text: streets, then city, state and postal code, then country.

    Args:
        record: a record with the address's columns.
        prefix: `address1_` or `address2_`.
    """
    parts = cast("Iterator[str | None]", map(record.get, _ADDRESSES[prefix]))
    line1, line2, line3, city, state, postal_code, country = parts
    region = " ".join(filter(None, (state, postal_code)))
    place = ", ".join(filter(None, (city, region)))
    return "\r\n".join(filter(None, (line1, line2, line3, place, country))) or None


def base_amount(amount: Value, exchange_rate: Decimal) -> Decimal | None:
    """Return an amount in the organization's base currency, with the four digits that are stored."""
    return (amount / exchange_rate).quantize(Decimal("0.0001")) if isinstance(amount, Decimal) else None


def _merged(context: ExecutionContext) -> Record:
    return {**context.pre_image, **context.record} if context.pre_image else context.record


def name_person(context: ExecutionContext) -> None:
    """Set a contact's full name when one of its parts is written."""
    if not context.record.keys().isdisjoint(_NAMES):
        merged = _merged(context)
        context.record["fullname"] = full_name(*(merged.get(name) for name in _NAMES))


def compose_addresses(context: ExecutionContext) -> None:
    """Set the composite of every address of which a part is written."""
    written = context.record.keys()
    for prefix, parts in _ADDRESSES.items():
        if not written.isdisjoint(parts):
            context.record[f"{prefix}composite"] = composite_address(_merged(context), prefix)


def _money_columns(table: Table) -> tuple[str, ...]:
    """Return the amounts that have a twin in the base currency."""
    return tuple(
        column.logical_name
        for column in table.columns
        if isinstance(column.type, MoneyType) and f"{column.logical_name}_base" in table.by_name
    )


def convert_amounts(context: ExecutionContext) -> None:
    """Set currency, exchange rate and base amounts of a record with money in it.

    A record with money and no currency gets the organization's (Learn: "Transaction currency entity").
    """
    table = context.system.catalog.tables[context.reference.table] if context.reference else None
    if table is None:
        return
    amounts = table.derived(_money_columns)
    changes_currency = "transactioncurrencyid" in context.record
    if not changes_currency and context.record.keys().isdisjoint(amounts):
        return
    if not changes_currency and not any(context.record.get(name) is not None for name in amounts):
        _clear_base_amounts(context, amounts)
        return
    merged = _merged(context)
    currency = merged.get("transactioncurrencyid") or _base_currency(context)
    if not isinstance(currency, EntityReference):
        return
    rate = by_id(context.system, currency, "exchangerate").get("exchangerate")
    if not isinstance(rate, Decimal) or not rate:
        return
    context.record.update({"transactioncurrencyid": currency, "exchangerate": rate})
    for name in amounts:
        if changes_currency or name in context.record:
            context.record[f"{name}_base"] = base_amount(merged.get(name), rate)


def _clear_base_amounts(context: ExecutionContext, amounts: tuple[str, ...]) -> None:
    for name in amounts:
        if name in context.record:
            context.record[f"{name}_base"] = None


def _base_currency(context: ExecutionContext) -> Value:
    organization = first(context.system, "organization", ALL_ROWS, "basecurrencyid")
    return organization.get("basecurrencyid") if organization else None


def customer_steps() -> tuple[Step, ...]:
    """Return the steps of accounts and contacts."""
    return tuple(
        Step(message, table, Stage.PRE_OPERATION, handler)
        for message in ("Create", "Update")
        for table, handlers in (
            ("account", (compose_addresses, convert_amounts)),
            ("contact", (name_person, compose_addresses, convert_amounts)),
        )
        for handler in handlers
    )
