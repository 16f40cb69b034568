"""The complex type QueryExpression as FetchXML (Learn: "QueryExpression class", "Fetch data using FetchXml")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, tostring

from entities.errors import InvalidArgument, NotSupported
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import ConditionOperator

_NAMED_ALIKE: Mapping[str, ConditionOperator] = MappingProxyType(
    {name.value.replace("-", ""): name for name in ConditionOperator}
)
_NAMED_OTHERWISE: Mapping[str, ConditionOperator] = MappingProxyType(
    {
        "Equal": ConditionOperator.EQUAL,
        "NotEqual": ConditionOperator.NOT_EQUAL,
        "GreaterThan": ConditionOperator.GREATER_THAN,
        "GreaterEqual": ConditionOperator.GREATER_EQUAL,
        "LessThan": ConditionOperator.LESS_THAN,
        "LessEqual": ConditionOperator.LESS_EQUAL,
        "DoesNotBeginWith": ConditionOperator.NOT_BEGINS_WITH,
        "DoesNotEndWith": ConditionOperator.NOT_ENDS_WITH,
        "DoesNotContainValues": ConditionOperator.NOT_CONTAIN_VALUES,
        "AboveOrEqual": ConditionOperator.EQUAL_OR_ABOVE,
        "UnderOrEqual": ConditionOperator.EQUAL_OR_UNDER,
        "Last7Days": ConditionOperator.LAST_SEVEN_DAYS,
        "Next7Days": ConditionOperator.NEXT_SEVEN_DAYS,
        "EqualUserId": ConditionOperator.EQUAL_USER,
        "NotEqualUserId": ConditionOperator.NOT_EQUAL_USER,
        "EqualUserTeams": ConditionOperator.EQUAL_USER_TEAMS,
        "EqualUserOrUserTeams": ConditionOperator.EQUAL_USER_OR_TEAMS,
        "EqualUserOrUserHierarchy": ConditionOperator.EQUAL_USER_OR_HIERARCHY,
        "EqualUserOrUserHierarchyAndTeams": ConditionOperator.EQUAL_USER_OR_HIERARCHY_AND_TEAMS,
        "EqualBusinessId": ConditionOperator.EQUAL_BUSINESS,
        "NotEqualBusinessId": ConditionOperator.NOT_EQUAL_BUSINESS,
        "EqualUserLanguage": ConditionOperator.EQUAL_USER_LANGUAGE,
    }
)
"""Members of the enumeration ConditionOperator whose FetchXML is called otherwise."""

_NOT_IN_FETCH_XML = frozenset({"contains", "not-contains", "has"})
"""Values of operators that only other languages of queries have."""

_LISTED = frozenset(
    {
        ConditionOperator.IN,
        ConditionOperator.NOT_IN,
        ConditionOperator.BETWEEN,
        ConditionOperator.NOT_BETWEEN,
        ConditionOperator.CONTAIN_VALUES,
        ConditionOperator.NOT_CONTAIN_VALUES,
        ConditionOperator.IN_FISCAL_PERIOD_AND_YEAR,
        ConditionOperator.IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR,
        ConditionOperator.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR,
    }
)
_JOINS: Mapping[str, str] = MappingProxyType(
    {
        "Inner": "inner",
        "LeftOuter": "outer",
        "Natural": "natural",
        "MatchFirstRowUsingCrossApply": "matchfirstrowusingcrossapply",
        "In": "in",
        "Exists": "exists",
        "Any": "any",
        "NotAny": "not any",
        "All": "all",
        "NotAll": "not all",
    }
)
_DESCENDING: Mapping[str, bool] = MappingProxyType({"Ascending": False, "Descending": True})


def fetch_of_ids(query: object, catalog: Catalog) -> tuple[Table, str]:
    """Return the table of a QueryExpression, and FetchXML that selects the ids of its records.

    Raises:
        InvalidArgument: it is no QueryExpression, or names a table that is not there.
        NotSupported: it holds an operator or a sub-query that is not there.
    """
    members = _mapping(query, "QueryExpression")
    table = _table(members, catalog)
    root = Element("fetch")
    entity = SubElement(root, "entity", name=table.logical_name)
    SubElement(entity, "attribute", name=table.primary_id)
    _add_source(entity, members, "Criteria", with_columns=False)
    return table, tostring(root, encoding="unicode")


def fetch_of(query: object, catalog: Catalog) -> str:
    """Return a QueryExpression as FetchXML, with its columns, orders and page.

    Raises:
        InvalidArgument: it is no QueryExpression, or names a table that is not there.
        NotSupported: it holds an operator or a sub-query that is not there.
    """
    members = _mapping(query, "QueryExpression")
    table = _table(members, catalog)
    root = Element("fetch")
    for name, attribute in (("Distinct", "distinct"), ("NoLock", "no-lock")):
        if members.get(name) is True:
            root.set(attribute, "true")
    if members.get("TopCount") is not None:
        root.set("top", _text(members["TopCount"]))
    if members.get("PageInfo") is not None:
        _add_page(root, _mapping(members["PageInfo"], "PageInfo"))
    entity = SubElement(root, "entity", name=table.logical_name)
    _add_columns(entity, members, "ColumnSet")
    _add_source(entity, members, "Criteria", with_columns=True)
    return tostring(root, encoding="unicode")


def _table(members: Mapping[str, object], catalog: Catalog) -> Table:
    found = catalog.tables.get(str(members.get("EntityName")))
    if found is None:
        raise InvalidArgument(
            f"The entity with a name = '{members.get('EntityName')}' with namemapping = 'Logical' was not found in the "
            "MetadataCache.",
            code="0x80041102",
        )
    return found


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"'{name}' of a QueryExpression has another form.")
    return value


def _list(members: Mapping[str, object], name: str) -> list[object]:
    found = members.get(name) or []
    if not isinstance(found, list):
        raise InvalidArgument(f"'{name}' of a QueryExpression has another form.")
    return found


def _items(members: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    for item in _list(members, name):
        yield _mapping(item, name)


def _member(names: Mapping[str, str] | Mapping[str, bool], value: object, enumeration: str) -> str:
    text = str(value)
    if text not in names:
        raise InvalidArgument(f"'{text}' is not a member of the enumeration {enumeration}.")
    return text


def _add_page(root: Element, page: Mapping[str, object]) -> None:
    for name, attribute in (("Count", "count"), ("PageNumber", "page"), ("PagingCookie", "paging-cookie")):
        if page.get(name):
            root.set(attribute, _text(page[name]))
    if page.get("ReturnTotalRecordCount") is True:
        root.set("returntotalrecordcount", "true")


def _add_columns(parent: Element, members: Mapping[str, object], name: str) -> None:
    if members.get(name) is None:
        return
    columns = _mapping(members[name], name)
    if columns.get("AllColumns") is True:
        SubElement(parent, "all-attributes")
        return
    for column in _list(columns, "Columns"):
        SubElement(parent, "attribute", name=str(column))


def _add_source(parent: Element, members: Mapping[str, object], criteria: str, *, with_columns: bool) -> None:
    """Add what a query and a link have in common: conditions, orders and further links."""
    if members.get("SubQueryExpression"):
        raise NotSupported("A QueryExpression with a SubQueryExpression is not supported yet.")
    if members.get(criteria) is not None:
        _add_filter(parent, _mapping(members[criteria], criteria))
    for link in _items(members, "LinkEntities"):
        _add_link(parent, link, with_columns=with_columns)
    for order in _items(members, "Orders") if with_columns else ():
        direction = _DESCENDING[_member(_DESCENDING, order.get("OrderType", "Ascending"), "OrderType")]
        added = SubElement(parent, "order", attribute=str(order.get("AttributeName")))
        added.set("descending", str(direction).lower())
        if order.get("EntityName"):
            added.set("entityname", str(order["EntityName"]))


def _add_link(parent: Element, link: Mapping[str, object], *, with_columns: bool) -> None:
    join = _JOINS[_member(_JOINS, link.get("JoinOperator", "Inner"), "JoinOperator")]
    added = SubElement(parent, "link-entity", name=str(link.get("LinkToEntityName")))
    added.set("from", str(link.get("LinkToAttributeName")))
    added.set("to", str(link.get("LinkFromAttributeName")))
    added.set("link-type", join)
    if link.get("EntityAlias"):
        added.set("alias", str(link["EntityAlias"]))
    if with_columns:
        _add_columns(added, link, "Columns")
    _add_source(added, link, "LinkCriteria", with_columns=with_columns)


def _add_filter(parent: Element, criteria: Mapping[str, object]) -> None:
    operator = str(criteria.get("FilterOperator", "And"))
    if operator not in {"And", "Or"}:
        raise InvalidArgument(f"'{operator}' is not a member of the enumeration LogicalOperator.")
    added = SubElement(parent, "filter", type=operator.lower())
    for condition in _items(criteria, "Conditions"):
        _add_condition(added, condition)
    for inner in _items(criteria, "Filters"):
        _add_filter(added, inner)
    link = criteria.get("AnyAllFilterLinkEntity")
    if link is not None:
        _add_link(added, _mapping(link, "AnyAllFilterLinkEntity"), with_columns=False)


def _add_condition(parent: Element, condition: Mapping[str, object]) -> None:
    operator = _operator(str(condition.get("Operator")))
    values = [_text(item.get("Value") if isinstance(item, Mapping) else item) for item in _list(condition, "Values")]
    added = SubElement(parent, "condition", attribute=str(condition.get("AttributeName")), operator=operator.value)
    if condition.get("EntityName"):
        added.set("entityname", str(condition["EntityName"]))
    if operator in _LISTED:
        for value in values:
            SubElement(added, "value").text = value
    elif values:
        added.set("valueof" if condition.get("CompareColumns") is True else "value", values[0])


def _operator(name: str) -> ConditionOperator:
    found = _NAMED_OTHERWISE.get(name) or _NAMED_ALIKE.get(name.lower())
    if found is None or found.value in _NOT_IN_FETCH_XML:
        raise NotSupported(f"A QueryExpression with the condition operator '{name}' is not supported yet.")
    return found


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
