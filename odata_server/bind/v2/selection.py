"""`$select` and `$expand` of the Organization Data Service as those of the Web API, and the entities made of the rows.

`$select=Name,account_primary_contact/FullName` with `$expand=account_primary_contact` becomes `$select=name` with
`$expand=primarycontactid($select=fullname)`. An expanded property that `$select` does not mention is not shown
(OData v2, "URI Conventions", 4.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.catalog import Navigation
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from entities.query import Expansion
from odata_server.bind.expand import LARGEST, bind_expansions, shown_columns
from odata_server.bind.selection import Reading, bind_selection, read_columns
from odata_server.bind.v2.translation import AS_WEB_API, Meaning, unknown_property
from odata_server.edm.naming import web_api_property
from odata_server.edm.representation import RowShape
from odata_server.edm.shapes import web_api_shape
from odata_server.edm.v2.names import properties
from odata_server.edm.v2.shapes import EntryShape, entry_shape, without_display_texts
from odata_server.syntax.request_trees import ExpandItem, QueryOptions, SelectItem
from odata_server.syntax.v2_options import NamePath

_STAR: Final = ("*",)
_MOST_EXPANDED: Final = 6
"""Of the real service, one level deep (MSDN gg309461)."""


@dataclass(frozen=True, slots=True)
class Entities:
    """What is read of the rows and of those that come with them, and the entities that are made of it."""

    columns: tuple[str, ...] | None
    expansions: tuple[Expansion, ...]
    shape: RowShape
    entry: EntryShape


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of entities: its options in the Web API's names, and its shape."""

    options: QueryOptions
    entry: EntryShape


@dataclass(frozen=True, slots=True)
class _Selected:
    """What `$select` names of a type: columns (None: all), navigation properties, and what of the expanded ones."""

    columns: tuple[Column, ...] | None
    navigations: dict[str, Navigation] | None
    below: dict[str, tuple[NamePath, ...] | None]


def bind_entities(
    table: Table,
    select: tuple[NamePath, ...] | None,
    expand: tuple[NamePath, ...],
    reading: Reading,
    meaning: Meaning,
    *,
    is_set: bool,
) -> Entities:
    """Return what is read for the entities that the options choose.

    Args:
        table: the table of the entities.
        select: the option's paths; None where it is not given.
        expand: the option's paths.
        reading: catalog and dialect of the translated options.
        meaning: the names.
        is_set: whether a collection is read, not one entity.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: too much is expanded, or what cannot be.
        InvalidOperation: rows of a virtual table and other rows cannot be joined (0x80044822).
    """
    _check_extent(expand, meaning)
    level = _level(table, select, expand, meaning)
    selection = bind_selection(table, level.options.select, AS_WEB_API)
    expansions = bind_expansions(table, level.options.expand, reading, is_set=is_set)
    annotations = reading.preferences.annotations
    names = shown_columns(selection, expansions)
    shape = web_api_shape(reading.catalog, table, names, annotations=annotations, form=reading.form)
    shape = RowShape(shape.table, shape.members, expansions.shapes)
    shape = without_display_texts(shape)
    return Entities(read_columns(table, selection, shape), expansions.queries, shape, level.entry)


def _check_extent(expand: tuple[NamePath, ...], meaning: Meaning) -> None:
    if meaning.is_faithful and (len(expand) > _MOST_EXPANDED or any(len(path) > 1 for path in expand)):
        raise MalformedRequest(
            f"$expand takes at most {_MOST_EXPANDED} navigation properties, and one level of them only."
        )
    if any(len(path) > LARGEST for path in expand):
        raise MalformedRequest(f"A query can have no more than {LARGEST} expanded navigation properties.")


def _level(table: Table, select: tuple[NamePath, ...] | None, expand: tuple[NamePath, ...], meaning: Meaning) -> _Level:
    """Translate one level, and those below it."""
    below: dict[str, list[NamePath]] = {}
    for path in expand:
        rest = below.setdefault(path[0], [])
        rest += [path[1:]] if path[1:] else []
    chosen = _selected(table, select, frozenset(below), meaning)
    items: list[ExpandItem] = []
    expanded: dict[str, EntryShape] = {}
    for name, rest in below.items():
        navigation = meaning.names.navigations(table).get(name)
        if navigation is None:
            raise unknown_property(name, table)
        if chosen.navigations is not None and name not in chosen.navigations:
            continue
        target = meaning.names.catalog.tables[navigation.target]
        inner = _level(target, chosen.below.get(name), tuple(rest), meaning)
        items.append(ExpandItem((navigation.name,), options=inner.options))
        expanded[name] = inner.entry
    return _Level(
        _options(chosen.columns, items),
        entry_shape(
            meaning.names,
            table,
            columns=chosen.columns,
            navigations=chosen.navigations,
            expanded=expanded,
            has_etag=not meaning.is_faithful,
        ),
    )


def _options(columns: tuple[Column, ...] | None, expand: list[ExpandItem]) -> QueryOptions:
    select = None if columns is None else tuple(SelectItem((web_api_property(column),)) for column in columns)
    names = (("$select",) if select is not None else ()) + (("$expand",) if expand else ())
    return QueryOptions(names, select=select, expand=tuple(expand) or None)


def _selected(
    table: Table, select: tuple[NamePath, ...] | None, expanded: frozenset[str], meaning: Meaning
) -> _Selected:
    if select is None:
        return _Selected(None, None, {})
    columns: dict[str, Column] = {}
    navigations: dict[str, Navigation] = {}
    below: dict[str, tuple[NamePath, ...] | None] = {}
    for path in select:
        if path == _STAR:
            continue
        name, rest = path[0], path[1:]
        navigation = meaning.names.navigations(table).get(name)
        if navigation is not None:
            _check_traversed(path, expanded)
            navigations[name] = navigation
            before = below.get(name, ())
            below[name] = (*before, rest) if rest and before is not None else None
            continue
        column = properties(table).get(name)
        if column is None or rest:
            raise unknown_property("/".join(path), table)
        columns[name] = column
    if _STAR in select:
        return _Selected(None, navigations or None, below)
    return _Selected(tuple(columns.values()), navigations, below)


def _check_traversed(path: NamePath, expanded: frozenset[str]) -> None:
    if len(path) > 1 and path[0] not in expanded:
        raise MalformedRequest(
            f"Only navigation properties specified in the $expand option can be traversed in $select: '{path[0]}'."
        )
