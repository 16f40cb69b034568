"""Grouped and aggregated FetchXML queries (Learn: "Aggregate data using FetchXml").

Every column of the answer has an alias: it is grouped by or aggregated. Sorting goes by these aliases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.columns import Column
from entities.metadata.option_labels import has_sorted_labels
from entities.query import CALLERS_LANGUAGE, Aggregate, AggregateFunction, ColumnRef, DateGrouping, Group, Order
from odata_server.bind.fetchxml_document import Element, flag, malformed, required
from odata_server.bind.fetchxml_sources import DUPLICATE_ALIAS, Source, checked_alias, column_named, encoded, ref

_FUNCTIONS: Final = {function.value: function for function in AggregateFunction}
_GROUPINGS: Final = {grouping.value: grouping for grouping in DateGrouping}


@dataclass(frozen=True, slots=True)
class Grouping:
    """What a grouped query shows, and how its rows are sorted."""

    groups: tuple[Group, ...]
    aggregates: tuple[Aggregate, ...]
    orders: tuple[Order, ...]


def bind_grouping(
    entity: Element, root: Source, links: Iterable[tuple[Element, Source]], *, raw: bool = False
) -> Grouping:
    """Return the groups, aggregates and sort terms of an `entity` and its links.

    Groups of a choice sort by its label, as rows do; `raw` sorts them and those of a lookup by what is stored.

    Raises:
        UnknownName: a column does not exist.
        MalformedRequest: a column is neither grouped by nor aggregated, or has no alias of its own.
    """
    places = ((entity, root), *links)
    columns = [(found, column) for element, source in places for found, column in _made(element, source)]
    made = [found for found, _ in columns]
    if not made:
        raise malformed("A query with 'aggregate' must have an attribute that is grouped by or aggregated.")
    if len({found.alias for found in made}) < len(made):
        raise MalformedRequest("FetchXML should have unique aliases.", code=DUPLICATE_ALIAS)
    return Grouping(
        groups=tuple(found for found in made if isinstance(found, Group)),
        aggregates=tuple(found for found in made if isinstance(found, Aggregate)),
        orders=tuple(_orders((element for element, _ in places), {} if raw else _labelled(columns), raw=raw)),
    )


def _labelled(columns: Iterable[tuple[Group | Aggregate, Column]]) -> dict[str, int]:
    """Return the groups that sort by labels, with the language of these."""
    return {
        found.alias: CALLERS_LANGUAGE
        for found, column in columns
        if isinstance(found, Group) and has_sorted_labels(column.type)
    }


def _made(element: Element, source: Source) -> Iterator[tuple[Group | Aggregate, Column]]:
    for child in element.named("attribute", "all-attributes"):
        if child.name != "attribute":
            raise _returned()
        column = column_named(source, required(child, "name"))
        function = child.get("aggregate")
        is_grouped = flag(child, "groupby")
        if function is not None and is_grouped:
            raise MalformedRequest(
                "An attribute can either be an aggregate or a Group By but not both", code="0x80041137"
            )
        if is_grouped:
            yield _group(child, ref(source, column)), column
        elif function is not None:
            yield _aggregate(child, ref(source, column), function), column
        else:
            raise _returned()


def _returned() -> MalformedRequest:
    return MalformedRequest("Attributes can not be returned when aggregate operation is specified.", code="0x80041107")


def _alias(element: Element) -> str:
    alias = element.get("alias")
    if not alias:
        raise MalformedRequest("Invalid alias for aggregate operation.", code="0x80041109")
    return encoded(checked_alias(alias))


def _group(element: Element, column: ColumnRef) -> Group:
    text = element.get("dategrouping")
    grouping = _GROUPINGS.get(text) if text is not None else None
    if text is not None and grouping is None:
        raise MalformedRequest("An invalid value was specified for dategrouping.", code="0x80041135")
    in_user_zone = element.get("usertimezone") is None or flag(element, "usertimezone")
    return Group(column, _alias(element), grouping, user_time_zone=in_user_zone)


def _aggregate(element: Element, column: ColumnRef, name: str) -> Aggregate:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise MalformedRequest(
            f"An error occurred while processing Aggregates in Query. '{name[:128]}'", code="0x8004111a"
        )
    # `count` counts rows, whatever the column holds.
    counted = None if function is AggregateFunction.COUNT else column
    return Aggregate(function, _alias(element), counted, flag(element, "distinct"))


def _orders(elements: Iterable[Element], labelled: Mapping[str, int], *, raw: bool) -> Iterator[Order]:
    for element in elements:
        for child in element.named("order"):
            if child.get("attribute") is not None:
                raise MalformedRequest(
                    "An attribute cannot be specified for an order clause for an aggregate Query. Use an alias.",
                    code="0x80041131",
                )
            alias = child.get("alias")
            if alias is None:
                raise MalformedRequest(
                    "An alias is required for an order clause for an aggregate Query.", code="0x80041134"
                )
            name = encoded(alias)
            column = ColumnRef(name, part="id" if raw else "")
            yield Order(column, flag(child, "descending"), labelled.get(name))
