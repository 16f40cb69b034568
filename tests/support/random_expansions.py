"""Generated expansions over the tables of `worlds`, with the shape of the rows that they belong to."""

from dataclasses import replace

from hypothesis import strategies as st
from random_filters import Scene, chance, draw_filter, pick
from random_queries import draw_query
from worlds import CATALOG

from entities.metadata.catalog import LookupNavigation, Navigation
from entities.metadata.columns import Column, LookupType, MultiChoiceType
from entities.query import ALL_ROWS, ColumnRef, Expansion, Order, Page, QueryExpression
from odata_server.edm.representation import Expanded, Facet, Member, NextLink, PageCookie, RowShape

Asked = tuple[QueryExpression, RowShape]

_NAMES = ("nav", "it's", 'say "hi"', "ä😀", "}0", "x@odata.y")
_SMALL = st.integers(0, 3)


def column_member(column: Column, facet: Facet, name: str) -> Member:
    """Return a member that shows one facet of a column."""
    return Member(name, facet, ColumnRef(column.logical_name), column.type)


def _draw_members(draw: st.DrawFn, table: str) -> tuple[Member, ...]:
    """Return some members of a table's rows, among them ones that may be left out."""
    declared = CATALOG.tables[table]
    columns = [c for c in declared.columns if not isinstance(c.type, LookupType | MultiChoiceType)]
    lookups = [c for c in declared.columns if isinstance(c.type, LookupType)]
    shown = [(c, Facet.VALUE) for c in columns] + [(c, Facet.LOOKUP_LOGICAL_NAME) for c in lookups]
    chosen = [pick(draw, shown) for _ in range(draw(_SMALL))]
    found = [column_member(column, facet, f"m{n}") for n, (column, facet) in enumerate(chosen)]
    found.insert(
        pick(draw, range(len(found) + 1)), column_member(declared.by_name[declared.primary_id], Facet.VALUE, "id")
    )
    return tuple(found)


def _cookie(key: str, size: int) -> PageCookie:
    return PageCookie(key, size, "&it's=%7b", "%7d&first=", '"')


def draw_expanded(draw: st.DrawFn, scene: Scene, query: QueryExpression, depth: int = 2) -> Asked:
    """Return a query with expansions as deep as `depth`, and the shape of its rows."""
    navigations = list(CATALOG.navigations[query.table].values())
    chosen = [pick(draw, navigations) for _ in range(draw(_SMALL))] if depth and navigations else []
    parts = [
        _draw_expansion(draw, scene, one, query.table, f"{pick(draw, _NAMES)}{n}", depth - 1)
        for n, one in enumerate(chosen)
    ]
    shape = RowShape(query.table, _draw_members(draw, query.table), tuple(expanded for _, expanded in parts))
    return replace(query, expansions=tuple(expansion for expansion, _ in parts)), shape


def _draw_expansion(
    draw: st.DrawFn, scene: Scene, navigation: Navigation, table: str, name: str, depth: int
) -> tuple[Expansion, Expanded]:
    target = CATALOG.tables[navigation.target]
    query, shape = draw_expanded(draw, scene, QueryExpression(navigation.target), depth)
    narrowed = draw_filter(draw, scene, [("", scene.tables[navigation.target])], 1) if chance(draw, 2) else ALL_ROWS
    query = replace(query, filter=narrowed)
    if isinstance(navigation, LookupNavigation):
        return Expansion(navigation.name, query), Expanded(name, (shape,))
    link = NextLink(CATALOG.tables[table].primary_id, f"https://x/{table}s(", f")/{name}?it's")
    size = 1 + draw(_SMALL)
    match pick(draw, ("plain", "linked", "paged", "top")):
        case "paged":
            query = replace(query, page=Page(size))
            link = replace(link, cookie=_cookie(target.primary_id, size))
            return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True, link=link)
        case "top":
            orders = (Order(ColumnRef("name"), chance(draw, 2)), Order(ColumnRef("versionnumber")))
            query = replace(query, orders=orders, top=size)
        case "linked":
            return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True, link=link)
        case _:
            pass
    return Expansion(navigation.name, query), Expanded(name, (shape,), is_collection=True)


def draw_expanding_query(draw: st.DrawFn, scene: Scene) -> Asked:
    """Return a query with expansions whose rows are records."""
    if chance(draw, 2):
        return draw_expanded(draw, scene, QueryExpression(pick(draw, ("firm", "sector", "visit"))))
    query = draw_query(draw, scene)
    return draw_expanded(
        draw, scene, replace(query, columns=None, linked_columns=(), distinct=False, counts_children=False)
    )
