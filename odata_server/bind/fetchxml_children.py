"""`rowaggregate` of a FetchXML document: the number of records directly below each row.

Learn: "Query hierarchical data", "Aggregate data using FetchXml", row aggregate. It stands on the primary key of a
table with a hierarchical relationship, which says what a child is; nobody's privileges narrow the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from entities.errors import InvalidArgument, MalformedRequest
from entities.hierarchy import hierarchies
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, IntegerType
from entities.query import CHILDREN
from odata_server.bind.fetchxml_document import Element, malformed, required
from odata_server.bind.fetchxml_sources import Source, checked_alias, column_named, encoded
from odata_server.bind.selection import Reading
from odata_server.edm.preferences import FORMATTED_VALUE
from odata_server.edm.representation import Facet, Member

_COUNT_CHILDREN: Final = "countchildren"


def counts_children(attribute: Element) -> bool:
    """Say whether an `attribute` asks for a number of records instead of a column's value.

    Raises:
        MalformedRequest: its `rowaggregate` has a value that there is not.
    """
    found = attribute.get("rowaggregate")
    if found is not None and found.lower() != _COUNT_CHILDREN:
        raise malformed(f"The only valid value for rowaggregate attribute is 'CountChildren', not '{found[:128]}'.")
    return found is not None


def child_counts(entity: Element, root: Source, links: Iterable[tuple[Element, Source]], catalog: Catalog) -> list[str]:
    """Return the aliases under which the rows show the number of records below them.

    Raises:
        UnknownName: a column does not exist.
        InvalidArgument: the column is not the key of a table with a hierarchy.
        MalformedRequest: there is no alias, or the attribute stands in a link.
    """
    if any(counts_children(child) for element, _ in links for child in element.named("attribute")):
        raise MalformedRequest("An unexpected error occurred.", code="0x80040216")
    return [_alias(child, root, catalog) for child in entity.named("attribute") if counts_children(child)]


def _alias(attribute: Element, root: Source, catalog: Catalog) -> str:
    column = column_named(root, required(attribute, "name"))
    _check_key(root, column, catalog)
    alias = attribute.get("alias")
    if not alias:
        raise MalformedRequest("Invalid alias for aggregate operation.", code="0x80041109")
    return checked_alias(alias)


def _check_key(root: Source, column: Column, catalog: Catalog) -> None:
    table = root.table
    levels = hierarchies(catalog, table, table.primary_id)
    if not levels:
        raise InvalidArgument(
            f"This query uses a hierarchical operator, but the {table.logical_name} entity doesn't have a hierarchical"
            " relationship.",
            code="0x80047020",
        )
    if column.logical_name != table.primary_id:
        raise InvalidArgument(
            f"Entity: {table.schema_name} 'rowaggregate' is not supported on attribute, {column.logical_name}."
            f" Hierarchy relationship {table.primary_id} <- {levels[0].parent}."
        )


def child_members(aliases: Iterable[str], reading: Reading) -> Iterator[Member]:
    """Yield the members that show the number of records below a row."""
    for alias in aliases:
        name = encoded(alias)
        if reading.preferences.annotations.includes(FORMATTED_VALUE):
            formatted = f"{name}@{FORMATTED_VALUE}"
            yield Member(formatted, Facet.FORMATTED, CHILDREN, IntegerType(), display=reading.form.display)
        yield Member(name, Facet.VALUE, CHILDREN, IntegerType())
