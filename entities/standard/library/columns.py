"""Columns of the library: from a line to the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from entities.metadata import declare
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
    EntityNameType,
    IntegerType,
    LookupKind,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    Option,
    RequiredLevel,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.labels import label
from entities.standard.library.grammar import ColumnLine

UNLIMITED_STRING: Final = 4000
UNLIMITED_MEMO: Final = 1_048_576
"""Lengths of text whose length is not documented: as much as a column can hold (Learn: "Column data types")."""

_OPTION: Final = re.compile(r"(-?\d+) (.+)")
_BASE_PRECISION: Final = 4

_WORDS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "required": {"required": RequiredLevel.SYSTEM},
        "needed": {"required": RequiredLevel.APPLICATION},
        "recommended": {"required": RequiredLevel.RECOMMENDED},
        "server": declare.SERVER_SET,
        "once": {"valid_for_update": False},
        "later": {"valid_for_create": False},
        "secured": {"is_secured": True},
        "name": {},
        "indexed": {},
        "base": {},
    }
)

LOOKUPS: Final[Mapping[str, LookupKind]] = MappingProxyType(
    {"lookup": LookupKind.LOOKUP, "customer": LookupKind.CUSTOMER, "owner": LookupKind.OWNER}
)
"""Types of columns that point to records."""


def options_of(text: str) -> tuple[Option, ...]:
    """Read options: `1 Low|Normal|5 High`; a number that is not given follows the one before, from 0."""
    found: list[Option] = []
    for part in text.split("|"):
        numbered = _OPTION.fullmatch(part.strip())
        value = int(numbered[1]) if numbered else (found[-1].value + 1 if found else 0)
        found.append(Option(value, label(numbered[2] if numbered else part.strip())))
    return tuple(found)


def columns_of(
    table: str, line: ColumnLine, targets: tuple[str, ...], choices: Mapping[str, Choice]
) -> tuple[Column, ...]:
    """Return the columns that a line declares.

    Args:
        table: the logical name of the table that they belong to.
        line: the column.
        targets: the declared tables that a lookup points to.
        choices: the global choices.

    Raises:
        ValueError: The type or a word is unknown.
    """
    more: dict[str, Any] = {}
    default = ""
    for word in line.words:
        if word.startswith("default="):
            default = word.removeprefix("default=")
        elif word.startswith("number="):
            more["autonumber"] = f"{word.removeprefix('number=')}-{{SEQNUM:5}}-{{RANDSTRING:6}}"
        elif word in _WORDS:
            more.update(_WORDS[word])
        else:
            raise ValueError(f"{line.name} has the unknown word {word}")
    text = line.text or line.name
    if line.type in _WHOLE:
        return _WHOLE[line.type](line, text, more)
    name, type_ = line.name.lower(), _type(line, targets, default, choices)
    column = Column(name, type_, line.name, label(text), metadata_id=declare.derived_id(table, name), **more)
    if "base" not in line.words:
        return (column,)
    base = declare.money(f"{line.name}_Base", f"{text} (Base)", precision=_BASE_PRECISION, **declare.SERVER_SET)
    return (column, base)


def _type(line: ColumnLine, targets: tuple[str, ...], default: str, choices: Mapping[str, Choice]) -> ColumnType:
    if line.type in LOOKUPS:
        return LookupType(targets, LOOKUPS[line.type])
    if line.type in ("choice", "multichoice"):
        chosen = choices[line.of[1:]] if line.of.startswith("@") else Choice(line.name.lower(), _local(line.of))
        return MultiChoiceType(chosen) if line.type == "multichoice" else ChoiceType(chosen, _number(default))
    if line.type == "boolean":
        no, _, yes = (line.of or "No|Yes").partition("|")
        return replace(_BOOLEAN, true_label=label(yes), false_label=label(no), default=default == "1")
    if line.type in _SIMPLE:
        try:
            return _SIMPLE[line.type](line.of)
        except ValueError as error:
            raise ValueError(f"{line.name} has the type {line.type}({line.of})") from error
    raise ValueError(f"{line.name} has the unknown type {line.type}")


def _local(text: str) -> tuple[Option, ...]:
    return options_of(text) if text and text != "?" else ()


def _number(text: str) -> int | None:
    return int(text) if text else None


def _string(of: str) -> ColumnType:
    length, _, text_format = of.partition(",")
    return StringType(UNLIMITED_STRING if length == "?" else int(length), text_format or "Text")


def _memo(of: str) -> ColumnType:
    return MemoType(UNLIMITED_MEMO if of == "?" else int(of))


def _integer(of: str) -> ColumnType:
    lowest, _, highest = of.partition("..")
    return IntegerType(int(lowest), int(highest)) if of else IntegerType()


def _decimal(of: str) -> ColumnType:
    precision, _, limits = of.partition(",")
    if not limits:
        return DecimalType(int(precision or 2))
    lowest, _, highest = limits.partition("..")
    return DecimalType(int(precision), int(Decimal(lowest)), int(Decimal(highest)))


def _double(of: str) -> ColumnType:
    precision, _, limits = of.partition(",")
    if not limits:
        return DoubleType(int(precision or 2))
    lowest, _, highest = limits.partition("..")
    return DoubleType(int(precision), float(lowest), float(highest))


_BOOLEAN: Final = BooleanType()

_SIMPLE: Final[Mapping[str, Callable[[str], ColumnType]]] = MappingProxyType(
    {
        "string": _string,
        "memo": _memo,
        "integer": _integer,
        "bigint": lambda _: BigIntType(),
        "decimal": _decimal,
        "double": _double,
        "money": lambda of: MoneyType(int(of or 2)),
        "datetime": lambda _: DateTimeType(),
        "zoneless": lambda _: DateTimeType(DateTimeBehavior.TIME_ZONE_INDEPENDENT),
        "date": lambda _: DateTimeType(DateTimeBehavior.DATE_ONLY, "DateOnly"),
        "guid": lambda _: UniqueIdentifierType(),
        "entityname": lambda _: EntityNameType(),
        "managed": ManagedPropertyType,
    }
)


def _id(line: ColumnLine, text: str, more: Mapping[str, Any]) -> tuple[Column, ...]:
    return (replace(declare.primary_id(line.name, text), **more),)


def _states(line: ColumnLine) -> tuple[Column, ...]:
    states = []
    for part in line.of.split(";"):
        name, _, reasons = part.partition(":")
        states.append((name.strip(), tuple((o.value, o.label.text() or "") for o in options_of(reasons))))
    return declare.state_and_status(*states)


def _image(line: ColumnLine, text: str, more: Mapping[str, Any]) -> tuple[Column, ...]:
    if line.name == "EntityImage":
        return declare.ENTITY_IMAGE
    return declare.image(line.name, text, **more)


def _file(line: ColumnLine, text: str, more: Mapping[str, Any]) -> tuple[Column, ...]:
    return declare.file(line.name, text, max_size_kb=int(line.of or 32_768), **more)


_WHOLE: Final[Mapping[str, Callable[[ColumnLine, str, Mapping[str, Any]], tuple[Column, ...]]]] = MappingProxyType(
    {"id": _id, "states": lambda line, *_: _states(line), "image": _image, "file": _file}
)
"""Types that bring more than the column of the line."""
