"""Which rows a right reaches: ownership and depth as a filter, and queries narrowed by it.

Basic reaches the records that the principal or one of its teams owns, Local those of its business unit as well, Deep
those of the units below too, Global all (Learn: "Security roles and privileges", access levels). Any of them reaches
the records that are shared with the principal or one of its teams, for the rights that the share gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import is_
from typing import TypeAlias, assert_never

from entities.metadata.catalog import Catalog
from entities.metadata.tables import Ownership, Table, TableKind
from entities.query import (
    ALL_ROWS,
    NO_ROWS,
    And,
    ColumnComparison,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    Expansion,
    Filter,
    LinkEntity,
    Not,
    Or,
    QueryExpression,
    both,
)
from entities.standard.files import FILE_TABLE
from entities.standard.sharing import SHARED_ACCESS, SHARED_TABLES
from entities.values import Guid
from security.file_rows import rows_of_files
from security.principals import EveryPrivilege, Principal
from security.privileges import ACTIVITY, OF_ONE_USER, PARENT_OF, AccessRight, Depth

DepthOf: TypeAlias = Callable[[Table], Depth]
"""The depth of the principal's Read on a table; raises when it has none."""


@dataclass(frozen=True, slots=True)
class RowAccess:
    """A filter and why it is what it is."""

    filter: Filter
    reason: str


def row_access(principal: Principal, table: Table, right: AccessRight, depth: Depth, alias: str = "") -> RowAccess:
    """Return the rows of a table that a right of some depth reaches.

    Args:
        principal: who asks.
        table: the table; only user-owned and business-owned ones know anything but all rows.
        right: the right.
        depth: how far it reaches.
        alias: the alias of the table in its query; empty for the query's own table.
    """
    name = table.logical_name
    if depth is Depth.GLOBAL:
        return RowAccess(ALL_ROWS, f"{name}: organization-wide")
    if table.ownership is Ownership.USER:
        owned = _owned_rows(principal, name, depth, alias)
        shared = shared_rows(principal, table, right, alias)
        return owned if shared is None else _with_shared(owned, shared)
    if table.ownership is Ownership.BUSINESS:
        return _business_rows(principal, table, depth, alias)
    if name in PARENT_OF:
        return _rows_of_parents(principal, name, depth, alias)
    # Organization-owned tables have Global depth only: a lesser one grants nothing.
    return RowAccess(NO_ROWS, f"{name}: depth {depth.name.title()} does not exist on this table")


def shared_rows(principal: Principal, table: Table, right: AccessRight, alias: str = "") -> Filter | None:
    """Return the rows of a table that shares give a principal a right on, None where nothing is shared with it.

    Args:
        principal: who asks.
        table: the table.
        right: the right.
        alias: the alias of the table in its query; empty for the query's own table.
    """
    grantees = principal.shared.get(table.logical_name) if table.kind is not TableKind.BASE else _any_grantee(principal)
    if not grantees or right is AccessRight.CREATE:
        return None
    return _shared_with(table.logical_name, table.primary_id, alias, right, grantees)


def _any_grantee(principal: Principal) -> tuple[Guid, ...]:
    """Return who has shares for the principal, of whatever table: a base table's rows are shared as those of theirs."""
    return tuple(dict.fromkeys(grantee for found in principal.shared.values() for grantee in found))


@lru_cache(maxsize=4096)
def _shared_with(name: str, key: str, alias: str, right: AccessRight, grantees: tuple[Guid, ...]) -> Filter:
    inner = f"{alias or name}_share"
    masks = ("accessrightsmask", "inheritedaccessrightsmask")
    given = Or(tuple(Condition(ColumnRef(mask, inner), ConditionOperator.HAS, (int(right),)) for mask in masks))
    to_them = _one_of(ColumnRef("principalid", inner), grantees)
    return Exists(LinkEntity(inner, SHARED_ACCESS, "objectid", key, alias, filter=And((to_them, given))))


def _with_shared(owned: RowAccess, shared: Filter) -> RowAccess:
    # Shares stand last: most rows need no look at them.
    alternatives = owned.filter.filters if isinstance(owned.filter, Or) else (owned.filter,)
    return RowAccess(Or((*alternatives, shared)), f"{owned.reason}, and what is shared with them")


def _owned_rows(principal: Principal, name: str, depth: Depth, alias: str) -> RowAccess:
    owners = (principal.caller.user_id, *principal.team_ids)
    return _rows_of(name, alias, depth, owners, () if depth is Depth.BASIC else _units(principal, depth))


def _rows_of_parents(principal: Principal, name: str, depth: Depth, alias: str) -> RowAccess:
    """Return the rows that belong to rows which the right reaches."""
    column, parent = PARENT_OF[name]
    inner = f"{alias or name}_parent"
    owned = _owned_rows(principal, parent, depth, inner)
    key = "activityid" if parent == ACTIVITY else f"{parent}id"
    return RowAccess(Exists(LinkEntity(inner, parent, key, column, alias, filter=owned.filter)), owned.reason)


@lru_cache(maxsize=4096)
def _rows_of(name: str, alias: str, depth: Depth, owners: tuple[Guid, ...], units: tuple[Guid, ...]) -> RowAccess:
    """Return the rows of some owners or of some business units; the same ones are asked for on every request."""
    own = _one_of(ColumnRef("ownerid", alias), owners)
    if depth is Depth.BASIC:
        return RowAccess(own, f"{name}: rows owned by the user or one of its teams")
    where = _one_of(ColumnRef("owningbusinessunit", alias), units)
    reach = "the user's business unit" if depth is Depth.LOCAL else "the user's business unit and those below"
    # The unit stands first: it lets most rows through, so the owners of most rows need no look.
    return RowAccess(Or((where, own)), f"{name}: own rows and those of {reach}")


def _business_rows(principal: Principal, table: Table, depth: Depth, alias: str) -> RowAccess:
    name = table.logical_name
    if depth is Depth.BASIC and name in OF_ONE_USER:
        me = _one_of(ColumnRef(table.primary_id, alias), (principal.caller.user_id,))
        return RowAccess(me, f"{name}: the user itself")
    if depth is Depth.BASIC:
        return RowAccess(NO_ROWS, f"{name}: depth Basic does not exist on this table")
    return RowAccess(
        _one_of(ColumnRef("businessunitid", alias), _units(principal, depth)),
        f"{name}: rows of the user's business unit" + (" and those below" if depth is Depth.DEEP else ""),
    )


def _units(principal: Principal, depth: Depth) -> tuple[Guid, ...]:
    own = principal.caller.business_unit_id
    return (own,) if depth is Depth.LOCAL else tuple(dict.fromkeys((own, *principal.units_below)))


def _one_of(column: ColumnRef, ids: tuple[Guid, ...]) -> Condition:
    operator = ConditionOperator.EQUAL if len(ids) == 1 else ConditionOperator.IN
    return Condition(column, operator, ids)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A walk through one query: who asks, over which catalog, and how deep its Read on a table is."""

    principal: Principal
    catalog: Catalog
    depth_of: DepthOf

    def query(self, query: QueryExpression, reasons: list[str]) -> QueryExpression:
        """Return the query with its own rows, links, `any` conditions and expansions narrowed.

        Raises:
            AccessDenied: there is no Read on one of the tables.
        """
        rows = self.rows(query.table, "", reasons)
        narrowed = both(self._filter(query.filter, reasons), rows)
        links = tuple(self._link(link, reasons) for link in query.links)
        expansions = self.expansions(query.expansions, reasons)
        unchanged = _same(links, query.links) and _same(expansions, query.expansions)
        if unchanged and narrowed is query.filter:
            return query
        return replace(query, filter=narrowed, links=links, expansions=expansions)

    def expansions(self, expansions: tuple[Expansion, ...], reasons: list[str]) -> tuple[Expansion, ...]:
        """Return expansions narrowed to the records that the principal may read.

        Raises:
            AccessDenied: there is no Read on one of the tables.
        """
        return tuple(self._expansion(expansion, reasons) for expansion in expansions)

    def _expansion(self, expansion: Expansion, reasons: list[str]) -> Expansion:
        query = self.query(expansion.query, reasons)
        return expansion if query is expansion.query else Expansion(expansion.navigation, query)

    def _link(self, link: LinkEntity, reasons: list[str]) -> LinkEntity:
        rows = self.rows(link.table, link.alias, reasons)
        narrowed = both(self._filter(link.filter, reasons), rows)
        links = tuple(self._link(inner, reasons) for inner in link.links)
        if narrowed is link.filter and _same(links, link.links):
            return link
        return replace(link, filter=narrowed, links=links)

    def _filter(self, condition: Filter, reasons: list[str]) -> Filter:
        match condition:
            case Condition() | ColumnComparison():
                return condition
            case And(filters) | Or(filters):
                parts = tuple(self._filter(part, reasons) for part in filters)
                return condition if _same(parts, filters) else replace(condition, filters=parts)
            case Not(inner):
                part = self._filter(inner, reasons)
                return condition if part is inner else Not(part)
            case Exists(link):
                narrowed = self._link(link, reasons)
                return condition if narrowed is link else Exists(narrowed)
            case _:
                assert_never(condition)

    def rows(self, name: str, alias: str, reasons: list[str]) -> Filter:
        """Return the rows of a table that Read reaches, noting why.

        Raises:
            AccessDenied: there is no Read on it.
        """
        table = self.catalog.tables[name]
        if table.kind is TableKind.INTERSECT:
            return self._pairs(table, alias, reasons)
        if self.principal.is_system:
            return ALL_ROWS
        if table.ownership is Ownership.NONE and name not in PARENT_OF:
            return self._open(name, alias, reasons)
        access = row_access(self.principal, table, AccessRight.READ, self.depth_of(table), alias)
        reasons.append(access.reason)
        return access.filter

    def _open(self, name: str, alias: str, reasons: list[str]) -> Filter:
        """Return the rows of a table without privileges: all, of shares and files those that concern the principal."""
        if name == FILE_TABLE:
            return rows_of_files(self.catalog, alias, lambda owner, inner: self.rows(owner, inner, reasons))
        if name not in (SHARED_ACCESS, SHARED_TABLES) or isinstance(self.principal.grants, EveryPrivilege):
            return ALL_ROWS
        reasons.append(f"{name}: rows of the user and its teams")
        grantees = (grantee for found in self.principal.shared.values() for grantee in found)
        own = dict.fromkeys((self.principal.caller.user_id, *self.principal.team_ids, *grantees))
        return _one_of(ColumnRef("principalid", alias), tuple(own))

    def _pairs(self, table: Table, alias: str, reasons: list[str]) -> Filter:
        """Return the pairs of which the principal may read both ends (intersect tables have no privileges)."""
        pair = self.catalog.by_intersect.get(table.logical_name)
        if pair is None or self.principal.is_system:
            return ALL_ROWS
        narrowed: Filter = ALL_ROWS
        for number, (end, column) in enumerate(((pair.table1, pair.column1), (pair.table2, pair.column2)), 1):
            inner = f"{alias or table.logical_name}_end{number}"
            rows = self.rows(end, inner, reasons)
            if rows != ALL_ROWS:
                key = self.catalog.tables[end].primary_id
                narrowed = both(narrowed, Exists(LinkEntity(inner, end, key, column, alias, filter=rows)))
        return narrowed


def _same(after: tuple[object, ...], before: tuple[object, ...]) -> bool:
    """Tell whether nothing was narrowed: a query that stays the same object keeps its cached plan at no cost."""
    return all(map(is_, after, before))
