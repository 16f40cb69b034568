"""Columns from the properties of a metadata document, and what had to be guessed of each.

An EDM type stands for several types of columns (`Edm.Int32` for whole numbers, choices and states); names and siblings
decide as far as they can (Learn: "Web API types and operations", the type map).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
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
    ManagedPropertyType,
    MemoType,
    MoneyType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.declare import (
    ACTIVE_INACTIVE,
    SERVER_SET,
    audit_columns,
    choice,
    column,
    owner_columns,
    primary_id,
    state_and_status,
)
from entities.standard.choices import COMPONENT_STATE
from odata_server.edm.naming import edm_type

TEXT_LENGTH: Final = 4_000
NAME_LENGTH: Final = 850
LONG_TEXT_LENGTH: Final = 1_048_576
FILE_SIZE: Final = 131_072
_PRECISION: Final = 10
_CURRENCY: Final = "_transactioncurrencyid_value"
"""An amount needs its currency: without one it is a number."""

_LOOKUP: Final = re.compile(r"_(\w+)_value")
_LONG_TEXT: Final = re.compile(
    r"description|body|xml|json|content|comment|html|notetext|composite|log|trace|error|message|config|parameters"
    r"|definition|schema|query|expression|data$|text$"
)
_CHOICE: Final = re.compile(r"code$|type$|status$|state$|reason$|mode$|kind$|level$|priority|category$|method$|format$")
_BY_SERVER: Final = frozenset({"exchangerate", "traversedpath", "solutionid", "overwritetime", "supportingsolutionid"})
_EDITED: Final = "Set it in the table's definition once it is imported."
_LENGTH: Final = "Set MaxLength of the column, or import the table's EntityDefinitions."
_OPTIONS: Final = "If it is a choice, import the table's EntityDefinitions or a solution that has its options."

_KNOWN: Final[Mapping[str, Column]] = MappingProxyType(
    {
        found.logical_name: found
        for found in (
            *audit_columns(),
            *owner_columns(),
            choice("ComponentState", COMPONENT_STATE, "Component State", default=0, **SERVER_SET),
        )
    }
)
"""Columns that are the same in every table that has them."""


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What was taken for something that the document does not say, and how to say it."""

    what: str
    supply: str


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """A column, and what was guessed of it."""

    column: Column
    guesses: tuple[ColumnGuess, ...] = ()


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of one table.

    Attributes:
        types: EDM types by property, those of the base included.
        primary_id: the primary id.
        primary_name: the primary name, None where there is none.
        targets: the tables that lookups lead to, by column.
        written: how the navigation writes the names of lookups, by column: as their schema names.
        owned: whether records have owners.
    """

    types: Mapping[str, str]
    primary_id: str
    primary_name: str | None
    targets: Mapping[str, tuple[str, ...]]
    written: Mapping[str, str]
    owned: bool

    def has(self, name: str, type_: str) -> bool:
        """Say whether there is a property of a name and type."""
        return self.types.get(name) == type_


def read_columns(properties: Properties) -> Iterator[ReadColumn]:
    """Yield the columns of a table.

    Args:
        properties: what the document says of them.
    """
    for name, type_ in properties.types.items():
        read = _read(name, type_, properties)
        # A few logical names have capitals, and keep them.
        yield read if name.islower() else replace(read, column=replace(read.column, logical_name=name))


def lookup_name(name: str) -> str | None:
    """Return the column that a property shows the GUID of, None where the property is no lookup's."""
    found = _LOOKUP.fullmatch(name)
    return found[1] if found else None


def hidden_lookup(name: str, targets: tuple[str, ...]) -> Column:
    """Return a lookup that has navigation but no property: it cannot be read."""
    return replace(column(name, LookupType(targets, _kind(targets))), valid_for_read=False)


def _read(name: str, type_: str, properties: Properties) -> ReadColumn:
    if name == properties.primary_id:
        return ReadColumn(primary_id(name))
    looked_up = lookup_name(name) if type_ == "Edm.Guid" else None
    if looked_up is not None:
        return _lookup(looked_up, properties)
    same = _as_everywhere(name, type_, properties)
    if same is not None:
        return same
    read = _READERS.get(type_)
    if read is None:
        if type_.endswith(".BooleanManagedProperty"):
            return ReadColumn(column(name, ManagedPropertyType(name)))
        told = ColumnGuess(f"Its type {type_} is none of a column; text is taken instead.", _EDITED)
        return ReadColumn(column(name, StringType(TEXT_LENGTH)), (told,))
    found = read(name, properties)
    if _is_set_by_server(name, properties):
        return ReadColumn(replace(found.column, **SERVER_SET), found.guesses)
    return found


def _as_everywhere(name: str, type_: str, properties: Properties) -> ReadColumn | None:
    """Return a column that every table has in the same form."""
    if {"statecode", "statuscode"} <= properties.types.keys() and name in {"statecode", "statuscode"}:
        state, status = state_and_status(*ACTIVE_INACTIVE)
        told = ColumnGuess("The states Active and Inactive, with one reason each.", _OPTIONS)
        return ReadColumn(state if name == "statecode" else status, (told,))
    known = _KNOWN.get(name)
    if known is None or isinstance(known.type, LookupType) or edm_type(known.type) != type_:
        return None
    return ReadColumn(known)


def _lookup(name: str, properties: Properties) -> ReadColumn:
    known = _KNOWN.get(name)
    targets = properties.targets.get(name, ())
    if name == "ownerid" and not properties.owned:
        return ReadColumn(column(name, LookupType(("systemuser", "team")), **SERVER_SET))
    if known is not None and isinstance(known.type, LookupType) and set(targets) <= set(known.type.targets):
        return ReadColumn(known)
    if not targets:
        told = ColumnGuess(
            "It has no navigation property, so its targets are unknown: no record can be set.",
            "Name its targets in the table's definition.",
        )
        return ReadColumn(column(name, LookupType(()), **SERVER_SET), (told,))
    return ReadColumn(column(properties.written.get(name, name), LookupType(targets, _kind(targets))))


def _kind(targets: tuple[str, ...]) -> LookupKind:
    return LookupKind.CUSTOMER if set(targets) == {"account", "contact"} else LookupKind.LOOKUP


def _is_set_by_server(name: str, properties: Properties) -> bool:
    """Say whether a column follows from others: a base amount, a part of an image or file."""
    if name in _BY_SERVER or (name.endswith("_base") and name.removesuffix("_base") in properties.types):
        return True
    for suffix, type_ in (
        ("_timestamp", "Edm.Int64"),
        ("_url", "Edm.String"),
        ("id", "Edm.Guid"),
        ("_name", "Edm.String"),
    ):
        stem = name.removesuffix(suffix)
        if stem != name and properties.has(name, type_) and properties.has(stem, "Edm.Binary"):
            return True
    return name.endswith("_name") and _is_file(name.removesuffix("_name"), properties)


def _is_file(name: str, properties: Properties) -> bool:
    """Say whether a GUID is that of a file: the name of the file stands beside it."""
    return (
        name != properties.primary_id
        and properties.has(name, "Edm.Guid")
        and properties.has(f"{name}_name", "Edm.String")
    )


def _string(name: str, properties: Properties) -> ReadColumn:
    if name == properties.primary_name:
        told = ColumnGuess(f"Text of at most {NAME_LENGTH} characters.", _LENGTH)
        return ReadColumn(column(name, StringType(NAME_LENGTH)), (told,))
    if _LONG_TEXT.search(name):
        told = ColumnGuess(f"Text of several lines, of at most {LONG_TEXT_LENGTH} characters.", _LENGTH)
        return ReadColumn(column(name, MemoType(LONG_TEXT_LENGTH)), (told,))
    told = ColumnGuess(f"Text of one line, of at most {TEXT_LENGTH} characters.", _LENGTH)
    return ReadColumn(column(name, StringType(TEXT_LENGTH)), (told,))


def _integer(name: str, _: Properties) -> ReadColumn:
    if _CHOICE.search(name):
        return ReadColumn(column(name, IntegerType()), (ColumnGuess("A whole number.", _OPTIONS),))
    return ReadColumn(column(name, IntegerType()))


def _decimal(name: str, properties: Properties) -> ReadColumn:
    plain = name.removesuffix("_base")
    amounts = (plain, f"{plain}_base", "exchangerate")
    if _CURRENCY in properties.types and all(properties.has(amount, "Edm.Decimal") for amount in amounts):
        told = ColumnGuess("An amount with four digits after the point.", _EDITED)
        return ReadColumn(column(name, MoneyType(precision=4)), (told,))
    told = ColumnGuess(f"A number with {_PRECISION} digits after the point.", _EDITED)
    return ReadColumn(column(name, DecimalType(_PRECISION)), () if name == "exchangerate" else (told,))


def _double(name: str, _: Properties) -> ReadColumn:
    told = ColumnGuess("A number that is shown with five digits after the point.", _EDITED)
    return ReadColumn(column(name, DoubleType(5)), (told,))


def _moment(name: str, _: Properties) -> ReadColumn:
    if name == "overriddencreatedon":
        return ReadColumn(column(name, DateTimeType(), valid_for_update=False))
    told = ColumnGuess("A moment that each user sees in their own time zone.", _EDITED)
    return ReadColumn(column(name, DateTimeType()), (told,))


def _date(name: str, _: Properties) -> ReadColumn:
    return ReadColumn(column(name, DateTimeType(DateTimeBehavior.DATE_ONLY, "DateOnly")))


def _boolean(name: str, _: Properties) -> ReadColumn:
    told = ColumnGuess("No unless something is said, with the labels Yes and No.", _EDITED)
    return ReadColumn(column(name, BooleanType()), (told,))


def _guid(name: str, properties: Properties) -> ReadColumn:
    if _is_file(name, properties):
        return _file(name, properties)
    return ReadColumn(column(name, UniqueIdentifierType()))


def _binary(name: str, properties: Properties) -> ReadColumn:
    if not properties.has(f"{name}_timestamp", "Edm.Int64"):
        return _file(name, properties)
    images = [
        n for n, type_ in properties.types.items() if type_ == "Edm.Binary" and f"{n}_timestamp" in properties.types
    ]
    told = ColumnGuess("An image of at most 10 MB, kept in full.", _EDITED)
    return ReadColumn(column(name, ImageType(is_primary=images[0] == name)), (told,))


def _file(name: str, _: Properties) -> ReadColumn:
    told = ColumnGuess(f"A file of at most {FILE_SIZE} KB.", _EDITED)
    return ReadColumn(column(name, FileType(FILE_SIZE), **SERVER_SET), (told,))


def _plain(type_: ColumnType) -> Callable[[str, Properties], ReadColumn]:
    return lambda name, _: ReadColumn(column(name, type_))


_READERS: Final[Mapping[str, Callable[[str, Properties], ReadColumn]]] = {
    "Edm.String": _string,
    "Edm.Int32": _integer,
    "Edm.Int64": _plain(BigIntType()),
    "Edm.Int16": _integer,
    "Edm.Decimal": _decimal,
    "Edm.Double": _double,
    "Edm.Boolean": _boolean,
    "Edm.DateTimeOffset": _moment,
    "Edm.Date": _date,
    "Edm.Guid": _guid,
    "Edm.Binary": _binary,
}
