"""Short forms for declaring tables, so that a declaration reads like a table of columns.

Ids of metadata are derived from names (`uuid5`), so they are the same in every environment and on every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha1
from types import MappingProxyType
from typing import Any
from uuid import UUID

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Choice,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    FileType,
    ImageType,
    IntegerType,
    LookupKind,
    LookupType,
    MemoType,
    MoneyType,
    Option,
    RequiredLevel,
    Rollup,
    StateOption,
    StateType,
    StatusOption,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.labels import Label, label
from entities.metadata.tables import Table
from entities.values import Guid

_NAMESPACE = UUID("5a3b1f4e-7d7e-4c57-9d0a-3a5f1b1c9d42").bytes


SERVER_SET: Mapping[str, Any] = MappingProxyType({"valid_for_create": False, "valid_for_update": False})
"""A column that only the server sets."""


def derived_id(*names: str) -> Guid:
    """Return the id that belongs to a metadata name, the same everywhere: a UUID of version 5 (RFC 9562 §5.5)."""
    digits = sha1(_NAMESPACE + "/".join(names).encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return Guid(f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}")


def column(name: str, type_: ColumnType, text: str = "", **more: object) -> Column:
    """Declare a column.

    Args:
        name: the schema name; the logical name is its lower case.
        type_: the column type.
        text: the English display name; the schema name when empty.
        more: other fields of `Column`.
    """
    return replace(Column(name.lower(), type_, name, label(text or name)), **more)  # type: ignore[arg-type]  # replace() checks the names at run time


def string(name: str, max_length: int = 100, text: str = "", **more: object) -> Column:
    """Declare single-line text."""
    return column(name, StringType(max_length), text, **more)


def memo(name: str, max_length: int = 2000, text: str = "", **more: object) -> Column:
    """Declare multi-line text."""
    return column(name, MemoType(max_length), text, **more)


def integer(
    name: str, text: str = "", *, minimum: int = -2_147_483_648, maximum: int = 2_147_483_647, **more: object
) -> Column:
    """Declare a whole number."""
    return column(name, IntegerType(minimum, maximum), text, **more)


def decimal(name: str, text: str = "", *, precision: int = 2, **more: object) -> Column:
    """Declare an exact number."""
    return column(name, DecimalType(precision), text, **more)


def double(
    name: str,
    text: str = "",
    *,
    precision: int = 2,
    minimum: float = -100_000_000_000,
    maximum: float = 100_000_000_000,
    **more: object,
) -> Column:
    """Declare a floating-point number."""
    return column(name, DoubleType(precision, minimum, maximum), text, **more)


def money(name: str, text: str = "", *, precision: int = 2, **more: object) -> Column:
    """Declare an amount of money."""
    return column(name, MoneyType(precision), text, **more)


def boolean(
    name: str, text: str = "", *, yes: str = "Yes", no: str = "No", default: bool = False, **more: object
) -> Column:
    """Declare a yes/no column."""
    return column(name, BooleanType(label(yes), label(no), default), text, **more)


def date_time(
    name: str, text: str = "", *, behavior: DateTimeBehavior = DateTimeBehavior.USER_LOCAL, **more: object
) -> Column:
    """Declare a date and time."""
    return column(name, DateTimeType(behavior, "DateAndTime"), text, **more)


def date_only(name: str, text: str = "", **more: object) -> Column:
    """Declare a date."""
    return column(name, DateTimeType(DateTimeBehavior.DATE_ONLY, "DateOnly"), text, **more)


def unique_identifier(name: str, text: str = "", **more: object) -> Column:
    """Declare a GUID that is not a lookup."""
    return column(name, UniqueIdentifierType(), text, **more)


def primary_id(name: str, text: str = "") -> Column:
    """Declare the primary id: set on create only."""
    return unique_identifier(name, text, required=RequiredLevel.SYSTEM, valid_for_update=False)


def lookup(name: str, *targets: str, text: str = "", kind: LookupKind = LookupKind.LOOKUP, **more: object) -> Column:
    """Declare a reference to one of several tables."""
    return column(name, LookupType(targets, kind), text, **more)


def options(*labels: str, first: int = 0) -> tuple[Option, ...]:
    """Declare options numbered from `first`."""
    return tuple(Option(first + offset, label(text)) for offset, text in enumerate(labels))


def choice(
    name: str, chosen: Choice | tuple[Option, ...], text: str = "", *, default: int | None = None, **more: object
) -> Column:
    """Declare a choice over a global choice or over local options."""
    local = chosen if isinstance(chosen, Choice) else Choice(name.lower(), chosen)
    return column(name, ChoiceType(local, default), text, **more)


def state_and_status(*states: tuple[str, tuple[tuple[int, str], ...]]) -> tuple[Column, Column]:
    """Declare statecode and statuscode.

    Args:
        states: per state its label and its status reasons (value, label); the first reason is the state's default.
    """
    state_options = tuple(StateOption(n, label(text), text, reasons[0][0]) for n, (text, reasons) in enumerate(states))
    reasons = tuple(StatusOption(v, label(t), n) for n, (_, found) in enumerate(states) for v, t in found)
    return (
        column("StateCode", StateType(state_options), "Status", valid_for_create=False, required=RequiredLevel.SYSTEM),
        column("StatusCode", StatusType(reasons), "Status Reason"),
    )


ACTIVE_INACTIVE = (("Active", ((1, "Active"),)), ("Inactive", ((2, "Inactive"),)))
"""The states of most tables."""


def file(name: str, text: str = "", *, max_size_kb: int = 32_768, **more: object) -> tuple[Column, Column]:
    """Declare a file, and the column that shows its name (Learn: "Use file column data")."""
    shown = string(f"{name}_Name", 255, f"{text or name} Name", **{**more, **SERVER_SET})
    return column(name, FileType(max_size_kb), text, **{**more, **SERVER_SET}), shown


def image(name: str, text: str = "", type_: ImageType | None = None, **more: object) -> tuple[Column, ...]:
    """Declare an image, and the columns that tell which it is, since when, and where it is downloaded.

    Args:
        name: the schema name.
        text: the English display name.
        type_: the size that is allowed, and what is kept of an image.
        more: other fields of `Column`.
    """
    shown, server_set = text or name, {**more, **SERVER_SET}
    return (
        column(name, type_ or ImageType(), text, **more),
        unique_identifier(f"{name}Id", f"{shown} Id", **server_set),
        column(f"{name}_Timestamp", BigIntType(), f"{shown} Timestamp", **server_set),
        string(f"{name}_URL", 200, f"{shown} URL", **server_set),
    )


def with_primary_image(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns of which the first image is the primary one, and no other (Learn: "Work with image columns")."""
    made, has_primary = [], False
    for found in columns:
        if isinstance(found.type, ImageType):
            made.append(replace(found, type=replace(found.type, is_primary=not has_primary)))
            has_primary = True
        else:
            made.append(found)
    return tuple(made)


ENTITY_IMAGE = image("EntityImage", "Entity Image", ImageType(stores_full_image=False))
"""The image of accounts, contacts, users and other tables of Dataverse: a thumbnail."""


def calculated(simple: Column, formula: str) -> Column:
    """Declare a column that is computed whenever it is read.

    Args:
        simple: the column with its type.
        formula: what it holds (`entities.formulas.parsing` has the grammar).
    """
    return replace(simple, formula=formula, **SERVER_SET)


def rollup(simple: Column, definition: Rollup) -> tuple[Column, Column, Column]:
    """Declare a column that adds up related records, with those that say when that was and how it went.

    Args:
        simple: the column with its type.
        definition: what it adds up.
    """
    name, text = simple.schema_name, simple.display_name.text() or simple.schema_name
    more = {**SERVER_SET, "is_custom": simple.is_custom}
    return (
        replace(simple, rollup=definition, **SERVER_SET),
        date_time(f"{name}_Date", f"{text} (Last Updated On)", **more),
        integer(f"{name}_State", f"{text} (State)", **more),
    )


def version_column() -> Column:
    """Declare the row version behind every etag."""
    return column("VersionNumber", BigIntType(), "Version Number", **SERVER_SET)


def audit_columns() -> tuple[Column, ...]:
    """Declare who made and changed a record, and when: set by the server."""
    return (
        date_time("CreatedOn", "Created On", **SERVER_SET),
        lookup("CreatedBy", "systemuser", text="Created By", **SERVER_SET),
        date_time("ModifiedOn", "Modified On", **SERVER_SET),
        lookup("ModifiedBy", "systemuser", text="Modified By", **SERVER_SET),
        lookup("CreatedOnBehalfBy", "systemuser", text="Created By (Delegate)", **SERVER_SET),
        lookup("ModifiedOnBehalfBy", "systemuser", text="Modified By (Delegate)", **SERVER_SET),
        version_column(),
    )


def owner_columns() -> tuple[Column, ...]:
    """Declare the ownership of a user-owned record."""
    return (
        lookup("OwnerId", "systemuser", "team", text="Owner", kind=LookupKind.OWNER, required=RequiredLevel.SYSTEM),
        lookup("OwningBusinessUnit", "businessunit", text="Owning Business Unit", **SERVER_SET),
        lookup("OwningUser", "systemuser", text="Owning User", **SERVER_SET),
        lookup("OwningTeam", "team", text="Owning Team", **SERVER_SET),
    )


def with_ids(table: Table) -> Table:
    """Return the table with an id on every piece of metadata that has none yet."""
    columns = tuple(
        c if c.metadata_id else replace(c, metadata_id=derived_id(table.logical_name, c.logical_name))
        for c in table.columns
    )
    keys = tuple(
        k if k.metadata_id else replace(k, metadata_id=derived_id(table.logical_name, "key", k.logical_name))
        for k in table.keys
    )
    return replace(table, columns=columns, keys=keys, metadata_id=table.metadata_id or derived_id(table.logical_name))


def plain(text: str) -> Label:
    """Return an English label."""
    return label(text)
