"""Where names of a query are looked up: columns of its table, and of tables behind single-valued navigation.

A path such as `primarycontactid/fullname` becomes a left outer link, made once per path however often it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from entities.errors import EngineFault, MalformedRequest, UnknownName
from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from entities.query import ColumnRef, LinkEntity, LinkType
from odata_server.bind.dialect import Dialect, column_of, type_name
from odata_server.syntax.trees import Alias, Expression, Literal, LiteralKind, Path


@dataclass(frozen=True, slots=True)
class Found:
    """A column and how the query refers to it."""

    column: Column
    ref: ColumnRef


@dataclass(frozen=True, slots=True)
class _Join:
    alias: str
    parent: tuple[str, ...]
    navigation: LookupNavigation


@dataclass(slots=True)
class Scope:
    """The table of a query, the parameter aliases of its URL, and the links that its paths need.

    `aliases` is None where the service reads none. `joins` grows while paths are resolved; read `links` afterwards.
    Inside a lambda operator `alias` is the linked table's and every path begins with `variable`; `lambdas` counts those
    of this scope.
    """

    catalog: Catalog
    dialect: Dialect
    table: Table
    aliases: Mapping[str, Expression] | None = field(default_factory=dict)
    joins: dict[tuple[str, ...], _Join] = field(default_factory=dict)
    alias: str = ""
    variable: str = ""
    lambdas: int = 0

    def value_of(self, expression: Expression) -> Expression:
        """Return what a parameter alias stands for (null when nothing is assigned to it), else the expression itself.

        Raises:
            MalformedRequest: an alias stands for itself, or stands where none is read.
        """
        seen: set[str] = set()
        while isinstance(expression, Alias):
            if self.aliases is None:
                raise MalformedRequest("Parameter aliases are not supported inside $expand.")
            if expression.name in seen:
                raise MalformedRequest(f"The parameter alias '@{expression.name}' refers to itself.")
            seen.add(expression.name)
            expression = self.aliases.get(expression.name, Literal(LiteralKind.NULL, "null", None))
        return expression

    def resolve(self, names: tuple[str, ...]) -> Found:
        """Return the column that a path leads to.

        Args:
            names: navigation properties and, at the end, a property.

        Raises:
            UnknownName: a name stands for nothing.
            MalformedRequest: the path runs through a collection.
        """
        names = self.inside(names)
        table = self._table_behind(names[:-1])
        column = column_of(self.dialect, table, names[-1])
        if column is None or not column.valid_for_read:
            raise unknown_property(names[-1], table, self.dialect)
        alias = self.joins[names[:-1]].alias if names[:-1] else self.alias
        return Found(column, ColumnRef(column.logical_name, alias))

    def lookup_column(self, names: tuple[str, ...]) -> ColumnRef | None:
        """Return the lookup behind a path that ends with a single-valued navigation property, else None."""
        names = self.inside(names)
        table = self._table_behind(names[:-1])
        navigation = self.catalog.navigation(table.logical_name, names[-1])
        if not isinstance(navigation, LookupNavigation):
            return None
        alias = self.joins[names[:-1]].alias if names[:-1] else self.alias
        return ColumnRef(navigation.relationship.referencing_column, alias)

    def inside(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return a path without the lambda variable that it begins with.

        Raises:
            UnknownName: inside a lambda operator, the path begins with something else or is the variable alone.
        """
        if not self.variable:
            return names
        if len(names) > 1 and names[0] == self.variable:
            return names[1:]
        raise unknown_property(names[0], self.table, self.dialect)

    def links(self) -> tuple[LinkEntity, ...]:
        """Return the links that the resolved paths need."""
        return self._links_under(())

    def _table_behind(self, names: tuple[str, ...]) -> Table:
        """Return the table a navigation path leads to, joining each step."""
        table = self.table
        for depth, name in enumerate(names, 1):
            path = names[:depth]
            join = self.joins.get(path)
            if join is None:
                navigation = self._single_valued(table, name)
                join = _Join(f"{self.alias}l{len(self.joins) + 1}", names[: depth - 1], navigation)
                self.joins[path] = join
            table = self.catalog.tables[join.navigation.target]
        return table

    def _single_valued(self, table: Table, name: str) -> LookupNavigation:
        navigation: Navigation | None = self.catalog.navigation(table.logical_name, name)
        match navigation:
            case LookupNavigation():
                return navigation
            case None:
                raise unknown_property(name, table, self.dialect)
            case CollectionNavigation() | ManyToManyNavigation():
                raise MalformedRequest(
                    f"The parent value for a property access of a property '{name}' is not a single value. "
                    "Property access can only be applied to a single value."
                )
            case _:
                assert_never(navigation)

    def _links_under(self, parent: tuple[str, ...]) -> tuple[LinkEntity, ...]:
        return tuple(
            self._link(path, join) for path, join in self.joins.items() if join.parent == parent and path != parent
        )

    def _link(self, path: tuple[str, ...], join: _Join) -> LinkEntity:
        relationship = join.navigation.relationship
        above = self.joins.get(join.parent)
        if join.parent and above is None:
            raise EngineFault(f"The path {path!r} was joined without its parent.")
        return LinkEntity(
            alias=join.alias,
            table=relationship.referenced_table,
            from_column=relationship.referenced_column,
            to_column=relationship.referencing_column,
            to_alias=above.alias if above else self.alias,
            type=LinkType.LEFT_OUTER,
            links=self._links_under(path),
        )


def path_names(expression: Expression) -> tuple[str, ...] | None:
    """Return the names of a plain property path, None for any other expression."""
    return expression.names if isinstance(expression, Path) and expression.root is None else None


def unknown_property(name: str, table: Table, dialect: Dialect) -> UnknownName:
    """Return the refusal for a property that the type does not have."""
    return UnknownName(f"Could not find a property named '{name}' on type '{type_name(dialect, table)}'.")
