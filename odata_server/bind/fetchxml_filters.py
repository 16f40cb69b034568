"""Filters and links of a FetchXML document as filters and links of the query form.

Learn: "Filter rows using FetchXml", "Filter on values in related records", "Join tables using FetchXml". Links of the
types `exists`, `in`, `any`, `not any`, `all` and `not all` return nothing: they become conditions. `all` keeps rows
that have related rows of which none matches, `not all` is `any`, as the page says of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from entities.errors import MalformedRequest
from entities.query import (
    ALL_ROWS,
    And,
    ColumnComparison,
    ComparisonOperator,
    Condition,
    Exists,
    Filter,
    LinkEntity,
    Not,
    Or,
    both,
)
from entities.wildcards import text_condition
from odata_server.bind.fetchxml_document import Element, flag, malformed, required
from odata_server.bind.fetchxml_sources import (
    INVALID_LINK_TYPE,
    JOINS,
    QUANTIFIERS,
    SEMI_JOINS,
    Source,
    Sources,
    column_named,
    joined_columns,
    ref,
)
from odata_server.bind.fetchxml_values import BAD_CONDITION, WITH_WILDCARDS, condition_values, operator_named
from odata_server.bind.literals import NUMBERS
from odata_server.edm.naming import edm_type

INVALID_FILTER_TYPE: Final = "0x80041122"
_COMPARISONS: Final = {
    **{operator.value: operator for operator in ComparisonOperator},
    "neq": ComparisonOperator.NOT_EQUAL,
}


def bind_filters(element: Element, near: Source, sources: Sources) -> Filter:
    """Return what the `filter` elements of an `entity` or `link-entity` demand together.

    Raises:
        UnknownName: a table or column does not exist.
        MalformedRequest: an operator, alias or element is wrong.
        InvalidArgument: a value does not fit its column.
    """
    demand: Filter = ALL_ROWS
    for child in element.named("filter"):
        demand = both(demand, _filter(child, near, sources))
    return demand


def _filter(element: Element, near: Source, sources: Sources) -> Filter:
    flag(element, "isquickfindfields")
    kind = element.get("type") or "and"
    if kind not in {"and", "or"}:
        raise MalformedRequest("Unsupported filter type. Valid values are 'and', or 'or'.", code=INVALID_FILTER_TYPE)
    parts = tuple(part for child in element.children if (part := _part(child, near, sources)) != ALL_ROWS)
    if kind == "or" and parts:
        return parts[0] if len(parts) == 1 else Or(parts)
    return parts[0] if len(parts) == 1 else And(parts)


def _part(element: Element, near: Source, sources: Sources) -> Filter:
    match element.name:
        case "filter":
            return _filter(element, near, sources)
        case "condition":
            return _condition(element, sources.of(element, near), sources)
        case "link-entity":
            return _quantified(element, near, sources)
        case _:
            raise invalid_node(element)


def invalid_node(element: Element) -> MalformedRequest:
    """Return the refusal for an element that FetchXML does not have at its place."""
    return MalformedRequest(f"The element node encountered is invalid. '{element.name[:128]}'", code="0x8004111c")


def _condition(element: Element, source: Source, sources: Sources) -> Filter:
    for name in ("aggregate", "rowaggregate"):
        if element.get(name) is not None:
            raise malformed(f"A condition on an aggregate ('{name}') is not supported.")
    column = column_named(source, required(element, "attribute"))
    name = required(element, "operator")
    valueof = element.get("valueof")
    if valueof is not None:
        return _comparison(source, column.logical_name, name, valueof, sources)
    operator = operator_named(name)
    texts = tuple(child.text for child in element.named("value"))
    own = element.get("value")
    if own is not None:
        texts = (own, *texts)
    values = condition_values(operator, texts, column, source.table.logical_name)
    if operator in WITH_WILDCARDS:
        return text_condition(ref(source, column), operator, str(values[0]))
    return Condition(ref(source, column), operator, values)


def _comparison(source: Source, name: str, operator: str, valueof: str, sources: Sources) -> Filter:
    """Bind a comparison with another column, of the same row or, as `alias.column`, of a linked one."""
    alias, dot, other_name = valueof.rpartition(".")
    other = sources.alias(alias) if dot else source
    left, right = column_named(source, name), column_named(other, other_name)
    comparison = _COMPARISONS.get(operator)
    kinds = {edm_type(left.type), edm_type(right.type)}
    if comparison is None or not (len(kinds) == 1 or kinds <= NUMBERS):
        raise MalformedRequest(
            f"Incorrect filter condition or conditions. '{left.logical_name}' and '{valueof[:256]}' cannot be compared"
            f" with the operator '{operator}'.",
            code=BAD_CONDITION,
        )
    return ColumnComparison(ref(source, left), comparison, ref(other, right))


def _quantified(element: Element, near: Source, sources: Sources) -> Filter:
    """Bind a link inside a filter."""
    kind = element.get("link-type") or ""
    if kind not in QUANTIFIERS:
        raise MalformedRequest(
            "The only valid values for link-type attribute inside a filter are 'any', 'not any', 'all' and 'not all'.",
            code=INVALID_LINK_TYPE,
        )
    link = _related(element, near, sources)
    match kind:
        case "any" | "not all":
            return Exists(link)
        case "not any":
            return Not(Exists(link))
        case _:
            return And((Exists(replace(link, filter=ALL_ROWS, links=())), Not(Exists(link))))


def _related(element: Element, near: Source, sources: Sources) -> LinkEntity:
    """Return a link that only asks whether there are related rows."""
    shown = next(element.named("attribute", "all-attributes", "order"), None)
    if shown is not None:
        raise malformed(f"A link of the type '{element.get('link-type')}' cannot have the element '{shown.name}'.")
    inside = sources.inside()
    demands: list[Filter] = []
    link = bind_link(element, near, inside, demands)
    for demand in demands:
        link = replace(link, filter=both(link.filter, demand))
    return link


def bind_links(element: Element, near: Source, sources: Sources, demands: list[Filter]) -> tuple[LinkEntity, ...]:
    """Return the links of an `entity` or `link-entity`, depth first.

    Args:
        element: the parent.
        near: its table.
        sources: the tables in sight; it gets those of the links.
        demands: takes what links that join nothing demand of the rows.

    Raises:
        UnknownName: a table or column does not exist.
        MalformedRequest: a link is wrong.
    """
    links = []
    for child in element.named("link-entity"):
        kind = child.get("link-type") or "inner"
        if kind in SEMI_JOINS:
            demands.append(Exists(_related(child, near, sources)))
        elif kind in JOINS:
            links.append(bind_link(child, near, sources, demands))
        else:
            raise MalformedRequest(
                "The only valid values for link-type attribute are 'natural', 'inner','in','exists',"
                "'matchfirstrowusingcrossapply' and 'outer'.",
                code=INVALID_LINK_TYPE,
            )
    return tuple(links)


_IN_LINK: Final = frozenset({"attribute", "all-attributes", "no-attrs", "filter", "link-entity", "order"})


def bind_link(element: Element, near: Source, sources: Sources, demands: list[Filter]) -> LinkEntity:
    """Return one link with its filter and the links below it."""
    for child in element.children:
        if child.name not in _IN_LINK:
            raise invalid_node(child)
    far = sources.enter(element)
    from_column, to_column = joined_columns(sources.catalog, element, near, far)
    # First, as SQL reads it: tables that are joined later are not in sight yet.
    condition = bind_filters(element, far, sources)
    return LinkEntity(
        alias=far.alias,
        table=far.table.logical_name,
        from_column=from_column,
        to_column=to_column,
        to_alias=near.alias,
        type=JOINS.get(element.get("link-type") or "inner", JOINS["inner"]),
        filter=condition,
        links=bind_links(element, far, sources, demands),
    )
