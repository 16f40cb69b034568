"""Which components need which: one list of dependencies, for the functions about them and for refusals of deletions.

Learn: "Dependency tracking for solution components". A dependency is read off definitions and rows when it is asked
for; nothing is kept. That a column needs its own table is no dependency here: it goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from entities.errors import InvalidArgument
from entities.formulas.checking import operands
from entities.formulas.parsing import parse_formula
from entities.metadata.catalog import Catalog
from entities.metadata.columns import ChoiceType, Column, LookupType, MultiChoiceType
from entities.metadata.ids import table_id
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.pipeline import Operations
from entities.query import ALL_ROWS, QueryExpression, equals
from entities.standard.customization.components import (
    Component,
    ComponentType,
    component,
    of_choice,
    of_column,
    of_key,
    of_table,
)
from entities.standard.customization.stored_xml import Mentioned, mentioned_in_fetch, mentioned_in_form
from entities.standard.lookups import first, referenced
from entities.values import EntityReference, Guid, Record


@dataclass(frozen=True, slots=True)
class Dependency:
    """One component that needs another."""

    dependent: Component
    required: Component


def dependents(system: Operations, kind: int, metadata_id: Guid) -> tuple[Component, ...]:
    """Return what needs a component and would be broken without it; what goes with it does not count.

    Args:
        system: the transaction's operations.
        kind: its component type.
        metadata_id: its id.

    Raises:
        InvalidArgument: there is no such component.
    """
    asked = component(system, kind, metadata_id)
    gone = {asked.id}
    if kind in {ComponentType.ENTITY_RELATIONSHIP, ComponentType.RELATIONSHIP}:
        gone = _gone_with_relationship(system.catalog, asked)
    found = (d.dependent for d in dependencies(system) if d.required.id in gone and d.dependent.id not in gone)
    return tuple(dict.fromkeys(one for one in found if asked.id != one.parent))


def check_unused(system: Operations, kind: int, metadata_id: Guid) -> None:
    """Refuse to delete a component that others need.

    Raises:
        InvalidArgument: some do (0x8004f01f); or there is no such component.
    """
    found = dependents(system, kind, metadata_id)
    if found:
        asked = component(system, kind, metadata_id)
        raise InvalidArgument(
            f"The {asked.kind_name}({asked.id}) component cannot be deleted because it is referenced by {len(found)}"
            " other components. For a list of referenced components, use the RetrieveDependenciesForDeleteRequest.",
            code="0x8004f01f",
        )


def required(system: Operations, kind: int, metadata_id: Guid) -> tuple[Component, ...]:
    """Return what a component needs.

    Raises:
        InvalidArgument: there is no such component.
    """
    asked = component(system, kind, metadata_id)
    found = (d.required for d in dependencies(system) if asked.id in {d.dependent.id, d.dependent.parent})
    return tuple(dict.fromkeys(one for one in found if asked.id not in {one.id, one.parent}))


def _gone_with_relationship(catalog: Catalog, asked: Component) -> set[Guid]:
    """Return the ids that go with a relationship: its own, and that of the lookup if it leads nowhere else."""
    relationship = catalog.relationships[asked.name]
    if isinstance(relationship, OneToMany):
        table = catalog.tables[relationship.referencing_table]
        lookup = of_column(table, relationship.referencing_column)
        others = catalog.lookup_navigations(table.logical_name, relationship.referencing_column)
        if lookup is not None and len(others) <= 1:
            return {asked.id, lookup.id}
    return {asked.id}


def dependencies(system: Operations) -> Iterator[Dependency]:
    """Yield every dependency, some more than once."""
    catalog = system.catalog
    for table in catalog.tables.values():
        for column in table.columns:
            yield from _of(of_column(table, column.logical_name), _needed_by_column(catalog, table, column))
        for key in table.keys:
            yield from _of(of_key(table, key), (of_column(table, name) for name in key.columns))
    for dependent, mentioned in _mentioning_rows(system):
        yield from _of(dependent, _named(catalog, mentioned))
    yield from _of_handlers(system)


def _of(dependent: Component | None, needed: Iterable[Component | None]) -> Iterator[Dependency]:
    if dependent is not None:
        yield from (Dependency(dependent, one) for one in needed if one is not None and one != dependent)


def _needed_by_column(catalog: Catalog, table: Table, column: Column) -> Iterator[Component | None]:
    match column.type:
        case LookupType(targets=targets) if column.is_custom:
            yield from (of_table(catalog.tables[name]) for name in targets if name in catalog.tables)
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice) if choice.is_global:
            yield of_choice(choice)
        case _:
            pass
    if column.formula:
        yield from _of_formula(catalog, table, column)
    if column.rollup is not None:
        rollup = column.rollup
        names = ("", rollup.lookup, rollup.column, *(condition.column for condition in rollup.conditions))
        yield from _named(catalog, ((rollup.table, name) for name in names if name or not rollup.hierarchy))
        if rollup.hierarchy:
            yield of_column(table, rollup.hierarchy)


def _of_formula(catalog: Catalog, table: Table, column: Column) -> Iterator[Component | None]:
    for operand in operands(parse_formula(column.formula)):
        if not operand.lookup:
            yield of_column(table, operand.column)
            continue
        yield of_column(table, operand.lookup)
        lookup = table.by_name.get(operand.lookup)
        if lookup is not None and isinstance(lookup.type, LookupType):
            yield from _named(catalog, ((target, operand.column) for target in lookup.type.targets))


def _named(catalog: Catalog, mentioned: Iterable[Mentioned]) -> Iterator[Component | None]:
    """Return the tables and columns of some names, as far as they are there."""
    for name, column in mentioned:
        table = catalog.tables.get(name)
        if table is not None:
            yield of_column(table, column) if column else of_table(table)


def _mentioning_rows(system: Operations) -> Iterator[tuple[Component, tuple[Mentioned, ...]]]:
    """Yield the rows that name tables and columns, with the names."""
    yield from _views_and_forms(system)
    yield from _steps(system)
    yield from _duplicate_rules(system)
    yield from _custom_apis(system)


def _rows(system: Operations, table: str, *columns: str) -> tuple[Record, ...]:
    """Return the rows of a table, none where the environment does not have it."""
    known = system.catalog.tables.get(table)
    if known is None:
        return ()
    return system.records(QueryExpression(table, (known.primary_id, *columns), filter=ALL_ROWS))


_TEXTS: Final = (
    (ComponentType.SAVED_QUERY, "savedquery", "returnedtypecode", "fetchxml"),
    (ComponentType.SAVED_QUERY_VISUALIZATION, "savedqueryvisualization", "primaryentitytypecode", "datadescription"),
    (ComponentType.SYSTEM_FORM, "systemform", "objecttypecode", "formxml"),
)


def _views_and_forms(system: Operations) -> Iterator[tuple[Component, tuple[Mentioned, ...]]]:
    tables = system.catalog.tables
    for kind, name, of, text in _TEXTS:
        for row in _rows(system, name, "name", of, text):
            own, xml = str(row.get(of) or ""), str(row.get(text) or "")
            found = mentioned_in_form(xml, own) if kind is ComponentType.SYSTEM_FORM else mentioned_in_fetch(xml)
            parent = table_id(tables[own]) if own in tables else None
            yield Component(kind, Guid(str(row[f"{name}id"])), str(row.get("name") or ""), parent), found


def _steps(system: Operations) -> Iterator[tuple[Component, tuple[Mentioned, ...]]]:
    tables: dict[Guid | None, str] = {}
    step = "sdkmessageprocessingstep"
    for row in _rows(system, step, "name", "sdkmessagefilterid", "filteringattributes"):
        table = _filtered_table(system, row)
        identifier = Guid(str(row[f"{step}id"]))
        tables[identifier] = table
        found = Component(ComponentType.PROCESSING_STEP, identifier, str(row.get("name") or ""))
        yield found, ((table, ""), *_columns(table, row.get("filteringattributes")))
    for row in _rows(system, f"{step}image", "name", f"{step}id", "attributes"):
        kind, identifier = ComponentType.PROCESSING_STEP_IMAGE, Guid(str(row[f"{step}imageid"]))
        table = tables.get(referenced(row.get(f"{step}id")), "")
        yield Component(kind, identifier, str(row.get("name") or "")), _columns(table, row.get("attributes"))


def _filtered_table(system: Operations, step: Record) -> str:
    """Return the table that a step is registered for, an empty text for any."""
    condition = equals("sdkmessagefilterid", referenced(step.get("sdkmessagefilterid")))
    found = first(system, "sdkmessagefilter", condition, "primaryobjecttypecode")
    return str(found.get("primaryobjecttypecode") or "") if found else ""


def _columns(table: str, listed: object) -> tuple[Mentioned, ...]:
    """Return the columns of a list with commas."""
    return tuple((table, name.strip()) for name in str(listed or "").split(",") if name.strip())


def _of_handlers(system: Operations) -> Iterator[Dependency]:
    """Yield that steps need what they call."""
    for row in _rows(system, "sdkmessageprocessingstep", "name", "eventhandler"):
        match row.get("eventhandler"):
            case EntityReference(table=table, id=identifier):
                kind = ComponentType.PLUGIN_TYPE if table == "plugintype" else ComponentType.SERVICE_ENDPOINT
                step = Guid(str(row["sdkmessageprocessingstepid"]))
                caller = Component(ComponentType.PROCESSING_STEP, step, str(row.get("name") or ""))
                yield Dependency(caller, Component(kind, identifier, ""))
            case _:
                pass


def _duplicate_rules(system: Operations) -> Iterator[tuple[Component, tuple[Mentioned, ...]]]:
    """Yield rules with the columns that they compare; a rule goes with its tables."""
    rules: dict[Guid | None, tuple[Component, str, str]] = {}
    for row in _rows(system, "duplicaterule", "name", "baseentityname", "matchingentityname"):
        identifier = Guid(str(row["duplicateruleid"]))
        found = Component(ComponentType.DUPLICATE_RULE, identifier, str(row.get("name") or ""))
        rules[identifier] = (found, str(row.get("baseentityname") or ""), str(row.get("matchingentityname") or ""))
    for row in _rows(
        system, "duplicaterulecondition", "regardingobjectid", "baseattributename", "matchingattributename"
    ):
        rule = rules.get(referenced(row.get("regardingobjectid")))
        if rule is not None:
            base, matching = str(row.get("baseattributename") or ""), str(row.get("matchingattributename") or "")
            yield rule[0], ((rule[1], base), (rule[2], matching))


def _custom_apis(system: Operations) -> Iterator[tuple[Component, tuple[Mentioned, ...]]]:
    tables = system.catalog.tables
    for table, names in (
        ("customapi", "boundentitylogicalname"),
        ("customapirequestparameter", "logicalentityname"),
        ("customapiresponseproperty", "logicalentityname"),
    ):
        for row in _rows(system, table, "uniquename", names):
            kind, identifier = tables[table].object_type_code, Guid(str(row[f"{table}id"]))
            found = Component(kind, identifier, str(row.get("uniquename") or ""))
            yield found, ((str(row.get(names) or ""), ""),)
