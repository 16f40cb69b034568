"""The read-only SQL of `?sql=` as a FetchXML tree, which means the same (Learn: "Query data using SQL", Python SDK).

    query = SELECT [DISTINCT] [TOP n] item *( "," item ) FROM table *join [WHERE or] [GROUP BY columns] [order]
    order = ORDER BY terms [OFFSET n ROWS FETCH NEXT m ROWS ONLY]          (n is a multiple of m)
    item = column [AS name] / function "(" ( "*" / [DISTINCT] column ) ")" [AS name]
    join = [INNER / LEFT [OUTER]] JOIN table ON column "=" column          table = name [[AS] alias]
    or = and *( OR and )    and = part *( AND part )    part = "(" or ")" / condition

Everything else (writes, `*`, other joins, HAVING, UNION, subqueries, expressions) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from odata_server.bind.fetchxml_document import Element
from odata_server.bind.sql_tokens import Cursor, read_tokens, refusal

_T = TypeVar("_T")

_RESERVED: Final = frozenset(
    {
        *("SELECT", "DISTINCT", "TOP", "FROM", "WHERE", "GROUP", "ORDER", "BY", "INNER", "LEFT", "OUTER", "JOIN", "ON"),
        *("AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "AS", "ASC", "DESC", "HAVING", "UNION", "OFFSET"),
        *("FETCH", "RIGHT", "FULL", "CROSS", "WITH", "INTO", "CASE", "EXISTS"),
    }
)
_FUNCTIONS: Final = {"COUNT": "countcolumn", "SUM": "sum", "AVG": "avg", "MIN": "min", "MAX": "max"}
_COMPARISONS: Final = {"=": "eq", "<>": "ne", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as written: `alias.name`, the alias empty where none is written."""

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A selected column or aggregate with its name in the answer."""

    column: _Column | None
    alias: str = ""
    function: str = ""
    distinct: bool = False


@dataclass(slots=True)
class _Table:
    """A table of the FROM clause; `link` are the attributes of its join."""

    name: str
    alias: str
    link: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)

    def element(self) -> Element:
        inside = (*self.children, *(table.element() for table in self.tables))
        if not self.link:
            return Element("entity", {"name": self.name}, inside)
        return Element("link-entity", {"name": self.name, "alias": self.alias, **self.link}, inside)


class _Reader:
    """Reads one statement; knows the tables by alias."""

    def __init__(self, text: str) -> None:
        self._at = Cursor(read_tokens(text))
        self._tables: dict[str, _Table] = {}

    def statement(self) -> Element:
        at = self._at
        at.expect("SELECT")
        # SQL sorts by what a column holds, not by what stands for it.
        attributes = {"useraworderby": "true", **({"distinct": "true"} if at.took("DISTINCT") else {})}
        if at.took("TOP"):
            attributes["top"] = self._parenthesized_number("TOP")
        items = self._listed(self._item)
        at.expect("FROM")
        root = self._table()
        self._joins()
        condition = self._or(0) if at.took("WHERE") else None
        groups = self._listed(self._column) if at.took("GROUP", "BY") else []
        is_grouped = bool(groups) or any(item.function for item in items)
        orders = self._listed(self._order) if at.took("ORDER", "BY") else []
        if orders and at.took("OFFSET"):
            attributes |= self._page(attributes)
        if at.peek().kind != "end":
            at.fail("the end")
        if is_grouped:
            attributes["aggregate"] = "true"
        for item in items:
            self._show(item, groups, is_grouped=is_grouped)
        if condition is not None:
            root.children.append(Element("filter", {"type": "and"}, (condition,)))
        root.children.extend(self._sorted(order, items, is_grouped=is_grouped) for order in orders)
        return Element("fetch", attributes, (root.element(),))

    def _listed(self, read: Callable[[], _T]) -> list[_T]:
        found = [read()]
        while self._at.took(","):
            found.append(read())
        return found

    def _page(self, before: Mapping[str, str]) -> dict[str, str]:
        """Read what stands behind OFFSET, as the attributes of a page of FetchXML."""
        skipped = self._rows("OFFSET")
        at = self._at
        if not (at.took("FETCH", "NEXT") or at.took("FETCH", "FIRST")):
            at.fail("FETCH NEXT")
        size = self._rows("FETCH NEXT")
        at.expect("ONLY")
        if "top" in before:
            raise refusal("TOP and OFFSET are not for one query")
        if not size or skipped % size:
            raise refusal("OFFSET skips a multiple of the rows that FETCH NEXT asks for")
        return {"count": str(size), "page": str(skipped // size + 1)}

    def _rows(self, word: str) -> int:
        number = self._parenthesized_number(word)
        if not (self._at.took("ROWS") or self._at.took("ROW")):
            self._at.fail("ROWS")
        return int(number)

    def _parenthesized_number(self, word: str) -> str:
        closes = self._at.took("(")
        token = self._at.next()
        if token.kind != "number" or not token.text.isdigit():
            raise refusal(f"{word} takes a whole number")
        if closes:
            self._at.expect(")")
        return token.text

    def _name(self) -> str:
        token = self._at.peek()
        if token.kind not in {"name", "quoted"} or token.word in _RESERVED:
            self._at.fail("a name")
        return self._at.next().text.lower()

    def _column(self) -> _Column:
        first = self._name()
        return _Column(first, _bare(self._name())) if self._at.took(".") else _Column("", _bare(first))

    def _item(self) -> _Item:
        at = self._at
        if at.peek().text == "*":
            raise refusal("SELECT * names no columns")
        function = at.peek().word
        if function in _FUNCTIONS and at.place + 1 < len(at.tokens) and at.tokens[at.place + 1].text == "(":
            at.place += 2
            distinct = at.took("DISTINCT")
            column = None if function == "COUNT" and not distinct and at.took("*") else self._column()
            at.expect(")")
            return _Item(
                column, self._as() or function.lower(), "count" if column is None else _FUNCTIONS[function], distinct
            )
        return _Item(self._column(), self._as())

    def _as(self) -> str:
        return self._name() if self._at.took("AS") else ""

    def _table(self) -> _Table:
        name = self._name()
        token = self._at.peek()
        named = self._at.took("AS") or (token.kind in {"name", "quoted"} and token.word not in _RESERVED)
        table = _Table(name, self._name() if named else name)
        if table.alias in self._tables:
            raise refusal(f"the alias '{table.alias[:100]}' stands for two tables")
        self._tables[table.alias] = table
        return table

    def _joins(self) -> None:
        at = self._at
        while True:
            if at.took("JOIN") or at.took("INNER", "JOIN"):
                kind = "inner"
            elif at.took("LEFT", "JOIN") or at.took("LEFT", "OUTER", "JOIN"):
                kind = "outer"
            else:
                return
            table = self._table()
            at.expect("ON")
            left = self._column()
            at.expect("=")
            right = self._column()
            own, other = (left, right) if left.alias == table.alias else (right, left)
            parent = self._tables.get(other.alias)
            if own.alias != table.alias or parent is None or parent is table:
                raise refusal("a join compares a column of its table with one of a table before it")
            table.link = {"from": own.name, "to": other.name, "link-type": kind}
            parent.tables.append(table)

    def _of(self, column: _Column) -> _Table:
        """Return the table of a column; without an alias it is the first table's."""
        table = self._tables.get(column.alias) if column.alias else next(iter(self._tables.values()))
        if table is None:
            raise refusal(f"there is no table with the alias '{column.alias[:100]}'")
        return table

    def _or(self, depth: int) -> Element:
        if depth > _DEEPEST:
            raise refusal("parentheses are nested too deeply")
        return self._connected("or", "OR", lambda: self._and(depth))

    def _and(self, depth: int) -> Element:
        return self._connected("and", "AND", lambda: self._part(depth))

    def _connected(self, kind: str, word: str, read: Callable[[], Element]) -> Element:
        parts = [read()]
        while self._at.took(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else Element("filter", {"type": kind}, tuple(parts))

    def _part(self, depth: int) -> Element:
        if self._at.took("("):
            inner = self._or(depth + 1)
            self._at.expect(")")
            return inner
        return self._condition(self._column())

    def _condition(self, column: _Column) -> Element:
        at = self._at
        if at.took("IS"):
            operator = "not-null" if at.took("NOT") else "null"
            at.expect("NULL")
            return self._made(column, operator)
        prefix = "not-" if at.took("NOT") else ""
        if at.took("IN"):
            at.expect("(")
            values = self._listed(self._literal)
            at.expect(")")
            return self._made(column, f"{prefix}in", *values)
        if at.took("LIKE"):
            return self._made(column, f"{prefix}like", self._literal())
        if at.took("BETWEEN"):
            low = self._literal()
            at.expect("AND")
            return self._made(column, f"{prefix}between", low, self._literal())
        if prefix:
            at.fail("IN, LIKE or BETWEEN")
        return self._comparison(column)

    def _comparison(self, column: _Column) -> Element:
        at = self._at
        operator = _COMPARISONS.get(at.peek().text)
        if operator is None:
            at.fail("a comparison")
        at.next()
        if at.peek().kind in {"name", "quoted"} and at.peek().word not in _RESERVED:
            return self._compared(column, operator, self._column())
        return self._made(column, operator, self._literal())

    def _literal(self) -> str:
        token = self._at.peek()
        if token.kind not in {"text", "number"}:
            self._at.fail("a text or number")
        return self._at.next().text

    def _made(self, column: _Column, operator: str, *values: str) -> Element:
        return Element("condition", self._place(column, operator), tuple(Element("value", {}, (), v) for v in values))

    def _place(self, column: _Column, operator: str) -> dict[str, str]:
        return {"attribute": column.name, "operator": operator, **self._entity_name(column)}

    def _entity_name(self, column: _Column) -> dict[str, str]:
        table = self._of(column)
        return {"entityname": table.alias} if table.link else {}

    def _compared(self, left: _Column, operator: str, right: _Column) -> Element:
        table = self._of(right)
        other = f"{table.alias if table.link else table.name}.{right.name}"
        return Element("condition", {**self._place(left, operator), "valueof": other})

    def _show(self, item: _Item, groups: list[_Column], *, is_grouped: bool) -> None:
        """Add a selected column to its table; columns of joined tables go by their own name."""
        column = item.column
        if column is None:
            table = next(iter(self._tables.values()))
            table.children.append(_attribute(f"{table.name}id", item.alias, {"aggregate": "count"}))
            return
        table = self._of(column)
        if item.function:
            more = {"aggregate": item.function, **({"distinct": "true"} if item.distinct else {})}
            table.children.append(_attribute(column.name, item.alias, more))
        elif is_grouped:
            if not any(self._of(group) is table and group.name == column.name for group in groups):
                raise refusal(f"the column '{column.name[:100]}' is neither grouped by nor aggregated")
            table.children.append(_attribute(column.name, item.alias or column.name, {"groupby": "true"}))
        else:
            table.children.append(_attribute(column.name, item.alias or (column.name if table.link else ""), {}))

    def _order(self) -> tuple[_Column, bool]:
        column = self._column()
        if self._at.took("DESC"):
            return column, True
        self._at.took("ASC")
        return column, False

    def _sorted(self, order: tuple[_Column, bool], items: list[_Item], *, is_grouped: bool) -> Element:
        column, descending = order
        attributes = {"descending": str(descending).lower()}
        named = next((i for i in items if i.alias == column.name and not column.alias), None)
        if is_grouped:
            same = next((i for i in items if i.column == column), named)
            return Element("order", {"alias": (same.alias if same else "") or column.name, **attributes})
        meant = named.column if named and named.column else column
        return Element("order", {"attribute": meant.name, **self._entity_name(meant), **attributes})


def _attribute(name: str, alias: str, more: dict[str, str]) -> Element:
    return Element("attribute", {"name": name, **({"alias": alias} if alias else {}), **more})


def _bare(name: str) -> str:
    """Return a column's logical name; a lookup may be named as the Web API shows it."""
    return name[1:-6] if name.startswith("_") and name.endswith("_value") else name


def read_sql(text: str) -> Element:
    """Return the FetchXML tree that an SQL statement means.

    Args:
        text: the statement.

    Raises:
        MalformedRequest: it is not in the subset.
    """
    return _Reader(text).statement()
