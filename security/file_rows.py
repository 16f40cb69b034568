"""Which rows that tell of files somebody may read: those whose files belong to rows that it may read."""

from __future__ import annotations

from collections.abc import Callable

from entities.errors import AccessDenied
from entities.metadata.catalog import Catalog
from entities.query import ALL_ROWS, NO_ROWS, Exists, Filter, LinkEntity, Or
from entities.standard.files import FILE_TABLE, OWNER


def rows_of_files(catalog: Catalog, alias: str, readable: Callable[[str, str], Filter]) -> Filter:
    """Return the rows of `fileattachment` that Read on their owners reaches.

    Args:
        catalog: the metadata, which says whose files there are.
        alias: the alias of the table in its query; empty for the query's own table.
        readable: returns the rows of a table that somebody may read, under an alias; raises where there are none.
    """
    ways: list[Filter] = []
    is_narrowed = False
    for navigation in catalog.lookup_navigations(FILE_TABLE, OWNER):
        inner = f"{alias or FILE_TABLE}_{navigation.target}"
        try:
            rows = readable(navigation.target, inner)
        except AccessDenied:
            is_narrowed = True
            continue
        is_narrowed |= rows != ALL_ROWS
        key = catalog.tables[navigation.target].primary_id
        ways.append(Exists(LinkEntity(inner, navigation.target, key, OWNER, alias, filter=rows)))
    if not is_narrowed:
        return ALL_ROWS
    return Or(tuple(ways)) if ways else NO_ROWS
