"""Definitions as the database keeps them: JSON, without what is as everywhere."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import orjson
from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from entities.metadata.columns import Choice, ColumnType
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Table

_KEPT = 4096
"""Definitions are values, and reading them takes longer than all else at a start: the same text is read once."""


_UNION: Any = Relationship
"""A union, which cattrs takes and its types do not tell."""


@cache
def _converter() -> Converter:
    converter = Converter(omit_if_default=True, forbid_extra_keys=False)
    configure_tagged_union(ColumnType, converter)
    configure_tagged_union(Relationship, converter)
    return converter


def table_text(table: Table) -> str:
    """Return a table's definition as JSON."""
    return _text(_converter().unstructure(table, unstructure_as=Table))


def relationship_text(relationship: Relationship) -> str:
    """Return a relationship's definition as JSON."""
    return _text(_converter().unstructure(relationship, unstructure_as=Relationship))


def choice_text(choice: Choice) -> str:
    """Return a global choice's definition as JSON."""
    return _text(_converter().unstructure(choice, unstructure_as=Choice))


def _text(plain: object) -> str:
    return orjson.dumps(plain).decode()


@lru_cache(maxsize=_KEPT)
def table_of(text: str) -> Table:
    """Return the table that `table_text` wrote."""
    return _converter().structure(orjson.loads(text), Table)


@lru_cache(maxsize=_KEPT)
def relationship_of(text: str) -> Relationship:
    """Return the relationship that `relationship_text` wrote."""
    made: Relationship = _converter().structure(orjson.loads(text), _UNION)
    return made


def choice_of(text: str) -> Choice:
    """Return the global choice that `choice_text` wrote."""
    return _converter().structure(orjson.loads(text), Choice)
