"""What a schema file changes in a catalog where the file wins: lengths, options, labels and cascades are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import (
    BigIntType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    EntityNameType,
    IntegerType,
    LookupType,
    MemoType,
    StateType,
    StatusType,
    StringType,
)
from entities.metadata.declare import with_ids
from entities.metadata.relationships import ManyToMany, OneToMany, Relationship
from entities.metadata.tables import Table
from entities.standard.references import with_relationship_id
from odata_server.admin.csdl_import import FIRST_OBJECT_TYPE_CODE, ImportedSchema, merged
from odata_server.admin.schema.derived_columns import checked_derivations
from odata_server.admin.schema.findings import Findings

_WHOLE = (IntegerType, BigIntType, ChoiceType, StateType, StatusType)
_TEXT = (StringType, MemoType, EntityNameType)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A change of a catalog, and the columns whose values cannot go along: (table, column)."""

    change: CatalogChange
    replaced: tuple[tuple[str, str], ...]


def laid_over(
    catalog: Catalog, imported: ImportedSchema, holds_values: Callable[[str, str], bool], findings: Findings
) -> Overlay:
    """Return the change that makes a catalog say what a file says.

    Args:
        catalog: the tables and relationships that are there.
        imported: what a file declares, with what it leaves out as the catalog has it.
        holds_values: whether any row has a value in a column, by table and column.
        findings: gets the columns that keep their type because their values cannot go along.
    """
    added = merged(catalog, imported)
    put = {table.logical_name: with_ids(table) for table in _with_own_codes(catalog, imported, added.put)}
    replaced = []
    for read in imported.tables:
        known = catalog.tables.get(read.logical_name)
        if known is None:
            continue
        columns = []
        for column in read.columns:
            before = known.by_name.get(column.logical_name)
            if before is None or _is_stored_alike(before, column):
                columns.append(column)
            elif holds_values(known.logical_name, column.logical_name):
                why = f"It is a {_name(before)} with values and a {_name(column)} in the file; a type does not change."
                findings.refuse(known.logical_name, column.logical_name, why)
                columns.append(before)
            else:
                replaced.append((known.logical_name, column.logical_name))
                columns.append(column)
        table = with_ids(replace(read, columns=tuple(columns)))
        if table != known:
            put[table.logical_name] = table
        else:
            put.pop(table.logical_name, None)
    related = {r.schema_name: r for r in map(with_relationship_id, added.relate)}
    related.update((r.schema_name, r) for r in imported.relationships if _is_changed(catalog, r))
    choices = tuple(choice for choice in imported.choices if catalog.choices.get(choice.name) != choice)
    put = checked_derivations(put, catalog.tables, findings)
    put = {name: table for name, table in put.items() if catalog.tables.get(name) != table}
    change = CatalogChange(tuple(put.values()), tuple(related.values()), choices=choices)
    return Overlay(change, tuple(replaced))


def _with_own_codes(catalog: Catalog, imported: ImportedSchema, put: Iterable[Table]) -> Iterator[Table]:
    """Yield tables, new ones with the object type code of the file where no table has it."""
    stated = {table.logical_name: table.object_type_code for table in imported.tables}
    taken = set(catalog.by_object_type_code)
    for table in put:
        if table.logical_name in catalog.tables:
            yield table
            continue
        code = stated.get(table.logical_name, FIRST_OBJECT_TYPE_CODE)
        if code in taken:
            code = next(free for free in count(FIRST_OBJECT_TYPE_CODE) if free not in taken)
        taken.add(code)
        yield replace(table, object_type_code=code)


def without(table: Table, names: frozenset[str]) -> Table:
    """Return a table without some columns, and without the keys over them."""
    keys = tuple(key for key in table.keys if names.isdisjoint(key.columns))
    return replace(table, columns=tuple(c for c in table.columns if c.logical_name not in names), keys=keys)


def _is_changed(catalog: Catalog, relationship: Relationship) -> bool:
    known = catalog.relationships.get(relationship.schema_name)
    return known is not None and known != relationship


def _name(column: Column) -> str:
    return type(column.type).__name__.removesuffix("Type")


def _is_stored_alike(before: Column, after: Column) -> bool:
    """Tell whether the values of a column mean the same under another type of it."""
    if bool(before.formula) is not bool(after.formula):
        return False
    return _form(before.type) == _form(after.type)


def _form(type_: ColumnType) -> object:
    """Return how values lie in rows: what is equal here is stored alike."""
    match type_:
        case DecimalType(precision=precision):
            return DecimalType, precision
        case DateTimeType(behavior=behavior):
            return DateTimeType, behavior is DateTimeBehavior.DATE_ONLY
        case LookupType():
            return LookupType, type_.is_polymorphic
        case _ if isinstance(type_, _WHOLE):
            return _WHOLE
        case _ if isinstance(type_, _TEXT):
            return _TEXT
        case _:
            return type(type_)


def kinds(relationship: Relationship) -> str:
    """Return how a report calls a relationship."""
    match relationship:
        case OneToMany():
            return "one-to-many"
        case ManyToMany():
            return "many-to-many"
