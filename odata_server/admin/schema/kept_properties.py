"""Properties of definitions that decide nothing here, kept where a file says something else than would be shown.

Only custom definitions keep them: those of the system are shown as this release shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from entities.errors import DataverseError
from entities.metadata.labels import Further
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import Table
from odata_server.admin.schema.findings import Json
from odata_server.admin.schema.pruning import pruned
from odata_server.bind.definitions import columns, relationships, tables
from odata_server.bind.definitions.checking import checked
from odata_server.bind.definitions.labels import read_further
from odata_server.render.definition_columns import column_values
from odata_server.render.definition_further import telling
from odata_server.render.definition_tables import many_to_many_values, one_to_many_values, table_values

_TIMES: Final = frozenset({"CreatedOn", "ModifiedOn"})
_OF_TABLES: Final = tables.KEPT | _TIMES
_OF_COLUMNS: Final = columns.KEPT | _TIMES


def with_kept_properties(table: Table, definition: Json) -> Table:
    """Return a table that keeps what a definition says besides, its columns as well.

    Args:
        table: the table as it was read from the definition.
        definition: the definition.
    """
    attributes = {str(a.get("LogicalName", "")): a for a in definition.get("Attributes") or ()}
    found = []
    for number, column in enumerate(table.columns, start=1):
        attribute = attributes.get(column.logical_name)
        if attribute is None or not column.is_custom:
            found.append(column)
            continue
        shown = column_values(table, column, number)
        further = _merged(column.further, _said(attribute, columns.ATTRIBUTE, _OF_COLUMNS), shown)
        found.append(column if further == column.further else replace(column, further=further))
    whole = replace(table, columns=tuple(found))
    if not table.is_custom:
        return whole
    said = _said(definition, tables.ENTITY, _OF_TABLES)
    return replace(whole, further=_merged(whole.further, said, table_values(whole)))


def with_kept_relation(relationship: Relationship, body: Json) -> Relationship:
    """Return a relationship that keeps what its definition says besides."""
    if not relationship.is_custom:
        return relationship
    if isinstance(relationship, OneToMany):
        declared, shown = relationships.ONE_TO_MANY, one_to_many_values(relationship)
    else:
        declared, shown = relationships.MANY_TO_MANY, many_to_many_values(relationship)
    said = _said(body, declared, relationships.KEPT)
    return replace(relationship, further=_merged(relationship.further, said, shown))


def _said(definition: Json, declared: str, kept: frozenset[str]) -> Further:
    """Return the kept properties of a definition; none where they are not what they should be."""
    stated = {name: value for name, value in definition.items() if name in kept or name == "@odata.type"}
    try:
        return read_further(checked(pruned(stated, declared), declared), kept)
    except DataverseError:
        return ()


def _merged(before: Further, said: Further, shown: Mapping[str, object]) -> Further:
    news = telling(said, dict(shown))
    return tuple({**dict(before), **dict(news)}.items()) if news else before
