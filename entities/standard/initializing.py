"""InitializeFrom: the values that a new record takes over from an existing one (Learn: "InitializeFrom Function")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from entities.errors import InvalidArgument
from entities.messages import Create, Delete
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import And, ColumnRef, Condition, ConditionOperator, QueryExpression, equals
from entities.standard.lookups import by_id, first, named_record
from entities.values import EntityReference, EntityValue, Guid, Record, Value

_CHOSEN: Mapping[str, Callable[[Column], bool]] = MappingProxyType(
    {
        "All": lambda _: True,
        "ValidForCreate": lambda column: column.valid_for_create,
        "ValidForUpdate": lambda column: column.valid_for_update,
        "ValidForRead": lambda column: column.valid_for_read,
    }
)
"""Which columns of the target a caller wants, by the members of `TargetFieldType`."""


_OF_EVERY_RECORD = frozenset({"ownerid", "statuscode"})
"""Columns that stand in most tables and say nothing of what their records have in common."""


def initializing_steps() -> tuple[Step, ...]:
    """Return the handlers of the function, and of the action that maps columns by their names."""
    return (
        Step("InitializeFrom", None, Stage.MAIN, initialize_from),
        Step("AutoMapEntity", None, Stage.MAIN, map_by_names),
    )


def map_by_names(context: ExecutionContext) -> None:
    """Map the columns of two tables that have the same name and type, in place of those that people have mapped.

    Raises:
        RecordNotFound: there is no such map.
    """
    system = context.system
    entity_map = EntityReference("entitymap", Guid(str(context.parameters["EntityMapId"])))
    found = by_id(system, entity_map)
    source, target = (system.catalog.tables[str(found[f"{end}entityname"])] for end in ("source", "target"))
    of_map = And((equals("entitymapid", entity_map), equals("issystem", value=False)))
    for row in system.records(QueryExpression("attributemap", ("attributemapid",), filter=of_map)):
        system.execute(Delete(EntityReference("attributemap", Guid(str(row["attributemapid"])))))
    for name in _common_columns(source, target):
        pair: Record = {"sourceattributename": name, "targetattributename": name}
        system.execute(Create("attributemap", {"entitymapid": entity_map, **pair, "issystem": False}))


def _common_columns(source: Table, target: Table) -> Iterator[str]:
    for name, column in target.by_name.items():
        own = source.by_name.get(name)
        if own is None or name in _OF_EVERY_RECORD or not column.valid_for_create or not own.valid_for_read:
            continue
        if type(own.type) is type(column.type) and name not in {source.primary_id, target.primary_id}:
            yield name


def initialize_from(context: ExecutionContext) -> None:
    """Answer with a record, not made yet, that has the mapped values of the record that the caller names.

    Values that the source does not have are left out. A lookup to the source's table gets the source itself.

    Raises:
        RecordNotFound: there is no such record.
        InvalidArgument: there is no such table (0x80041102), or no map between the two (0x80040e01).
    """
    system, parameters = context.system, context.parameters
    source = named_record(system, parameters["EntityMoniker"], "EntityMoniker")
    name = str(parameters["TargetEntityName"])
    target = system.catalog.tables.get(name)
    if target is None:
        raise InvalidArgument(
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )
    wanted = _CHOSEN[str(parameters["TargetFieldType"])]
    record = by_id(system, source)
    values: dict[str, Value] = {}
    for own, other in _pairs(system, source.table, target):
        column, value = target.by_name.get(other), _given(source, record, own)
        if column is not None and wanted(column) and value is not None and _fits(column, value):
            values[other] = value
    context.result = {"value": EntityValue(target.logical_name, values)}


def _pairs(system: Operations, source: str, target: Table) -> tuple[tuple[str, str], ...]:
    """Return the columns that are mapped from a table to another one.

    Raises:
        InvalidArgument: there is no map between them.
    """
    ends = And((equals("sourceentityname", source), equals("targetentityname", target.logical_name)))
    found = first(system, "entitymap", ends, "entitymapid")
    if found is None:
        raise InvalidArgument("The mapping between specified entities does not exist", code="0x80040e01")
    of_map = Condition(ColumnRef("entitymapid"), ConditionOperator.EQUAL, (found["entitymapid"],))
    columns = ("sourceattributename", "targetattributename")
    rows = system.records(QueryExpression("attributemap", columns, filter=of_map))
    return tuple((str(row[columns[0]]), str(row[columns[1]])) for row in rows)


def _given(source: EntityReference, record: Record, name: str) -> Value:
    """Return a value of the source; its id is the source itself."""
    value = record.get(name)
    return source if value == source.id else value


def _fits(column: Column, value: Value) -> bool:
    if not isinstance(column.type, LookupType):
        return not isinstance(value, EntityReference)
    return isinstance(value, EntityReference) and value.table in column.type.targets
