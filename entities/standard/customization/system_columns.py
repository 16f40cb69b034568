"""What a new table and a new column have besides what was asked for.

Learn: "Create and edit tables" (system columns), "Use money columns", "Image columns", "File columns"; the names are
those that custom tables have in Dataverse's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from entities.metadata.columns import BigIntType, Column, DecimalType, FileType, ImageType, MoneyType
from entities.metadata.declare import (
    ACTIVE_INACTIVE,
    SERVER_SET,
    audit_columns,
    column,
    date_time,
    integer,
    lookup,
    owner_columns,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
)
from entities.metadata.labels import ENGLISH, Label
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Ownership, Table
from entities.standard.references import RESTRICT, reference, system_references

CURRENCY: Final = "transactioncurrencyid"
_VOWELS: Final = frozenset("aeiou")


def plural(name: str) -> str:
    """Return the name of an entity set: the English plural of a logical name."""
    if name.endswith("y") and name[-2:-1] not in _VOWELS:
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "z", "ch", "sh")) else f"{name}s"


def system_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns that a new table gets beside its own: the primary id comes first."""
    shown = table.display_name.text() or table.schema_name
    owned = owner_columns() if table.ownership is Ownership.USER else _organization()
    return (
        primary_id(f"{table.schema_name}Id", shown),
        *state_and_status(*ACTIVE_INACTIVE),
        *owned,
        *audit_columns(),
        date_time("OverriddenCreatedOn", "Record Created On", valid_for_update=False),
        integer("ImportSequenceNumber", "Import Sequence Number", valid_for_update=False),
        integer("TimeZoneRuleVersionNumber", "Time Zone Rule Version Number", minimum=-1),
        integer("UTCConversionTimeZoneCode", "UTC Conversion Time Zone Code", minimum=-1),
    )


def _organization() -> tuple[Column, ...]:
    return (lookup("OrganizationId", "organization", text="Organization Id", **SERVER_SET),)


def companions(table: Table, added: Column) -> Iterator[Column]:
    """Yield the columns that a new column brings: of amounts, files, images and rollups.

    Args:
        table: the table that gets it.
        added: the new column.
    """
    name, text = added.schema_name, added.display_name.text() or added.schema_name
    more: Mapping[str, Any] = {"is_custom": True}
    if added.rollup is not None:
        yield date_time(f"{name}_Date", f"{text} (Last Updated On)", **SERVER_SET, **more)
        yield integer(f"{name}_State", f"{text} (State)", **SERVER_SET, **more)
        return
    match added.type:
        case FileType():
            yield string(f"{name}_Name", 255, f"{text} Name", **SERVER_SET, **more)
        case ImageType():
            yield unique_identifier(f"{name}Id", f"{text} Id", **SERVER_SET, **more)
            yield column(f"{name}_Timestamp", BigIntType(), f"{text} Timestamp", **SERVER_SET, **more)
            yield string(f"{name}_URL", 200, f"{text} URL", **SERVER_SET, **more)
        case MoneyType() as type_ if not added.formula:
            yield column(f"{name}_Base", replace(type_, precision=4), f"{text} (Base)", **SERVER_SET, **more)
            yield from _currency(table)
        case _:
            return


def _currency(table: Table) -> Iterator[Column]:
    """Yield what every table with money has, as far as it is not there yet."""
    if CURRENCY not in table.by_name:
        yield lookup("TransactionCurrencyId", "transactioncurrency", text="Currency")
    if "exchangerate" not in table.by_name:
        yield column("ExchangeRate", DecimalType(10, 0), "Exchange Rate", **SERVER_SET)


def with_companions(table: Table, added: tuple[Column, ...]) -> Table:
    """Return a table with new columns and what those bring; its first image is the primary one."""
    for one in added:
        made = one
        if isinstance(one.type, ImageType) and not _has_primary_image(table):
            made = replace(one, type=replace(one.type, is_primary=True))
        extra = tuple(c for c in companions(table, made) if c.logical_name not in table.by_name)
        table = replace(table, columns=(*table.columns, made, *extra))
    return table


def _has_primary_image(table: Table) -> bool:
    return any(isinstance(c.type, ImageType) and c.type.is_primary for c in table.columns)


def currency_relationship(table: Table) -> tuple[OneToMany, ...]:
    """Return the relationship of a table's currency, none where it has no money."""
    if CURRENCY not in table.by_name:
        return ()
    name = f"TransactionCurrency_{table.schema_name}"
    return (_custom(reference(table.logical_name, CURRENCY, "transactioncurrency", name, cascade=RESTRICT)),)


def references_of(table: Table) -> tuple[OneToMany, ...]:
    """Return the relationships of a new table's system columns."""
    found = [*system_references(table), *currency_relationship(table)]
    if "organizationid" in table.by_name:
        name = f"organization_{table.logical_name}"
        found.append(reference(table.logical_name, "organizationid", "organization", name))
    return tuple(map(_custom, found))


def _custom(relationship: OneToMany) -> OneToMany:
    return replace(relationship, is_custom=True)


def titled(label: Label, name: str) -> Label:
    """Return a label, or one that is made of a name where it has no text."""
    return label if label.texts else Label(((ENGLISH, name),))
