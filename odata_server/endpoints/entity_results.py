"""Records that functions answer with and that nobody has made or read as such: values and their type.

Learn: "InitializeFrom Function" shows the form: the context of one entity, its type, lookups as they would be bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from entities.metadata.catalog import Catalog
from entities.metadata.columns import LookupType
from entities.values import EntityReference, EntityValue
from odata_server.edm.operations import ANY_TABLE
from odata_server.endpoints.call import Call
from odata_server.render.values import Token, token


def entity_json(call: Call, value: EntityValue) -> bytes:
    """Return a record's values as a JSON object."""
    table = call.catalog.tables[value.table]
    context = call.context(f"{table.entity_set_name}/$entity")
    head: dict[str, Token] = {"@odata.context": context} if context else {}
    head["@odata.type"] = f"#{call.dialect.namespace}.{table.logical_name}"
    return orjson.dumps({**head, **dict(_members(call.catalog, value))})


def references_json(call: Call, references: tuple[EntityReference, ...]) -> bytes:
    """Return records of several tables as a JSON collection: the type and the id of each."""
    context = call.context(f"Collection({call.dialect.namespace}.{ANY_TABLE})")
    found = [
        {
            "@odata.type": f"#{call.dialect.namespace}.{one.table}",
            call.catalog.tables[one.table].primary_id: one.id,
        }
        for one in references
    ]
    return orjson.dumps({**({"@odata.context": context} if context else {}), "value": found})


def entities_json(call: Call, declared: str, values: Sequence[EntityValue]) -> bytes:
    """Return records' values as a JSON collection.

    Args:
        call: the request.
        declared: the table that the operation declares, `crmbaseentity` for any.
        values: the records.
    """
    table = call.catalog.tables.get(declared)
    context = call.context(table.entity_set_name if table else f"Collection({call.dialect.namespace}.{declared})")
    head: dict[str, object] = {"@odata.context": context} if context else {}
    types = ({} if table else {"@odata.type": f"#{call.dialect.namespace}.{value.table}"} for value in values)
    rows = [{**type_, **dict(_members(call.catalog, v))} for type_, v in zip(types, values, strict=True)]
    return orjson.dumps({**head, "value": rows})


def _members(catalog: Catalog, value: EntityValue) -> Iterator[tuple[str, Token]]:
    columns = catalog.tables[value.table].by_name
    for name, given in value.record.items():
        if not isinstance(columns[name].type, LookupType):
            yield name, token(given, columns[name].type)
        elif isinstance(given, EntityReference):
            found = catalog.lookup_navigations(value.table, name)
            navigation = next((n.name for n in found if n.target == given.table), name)
            yield f"{navigation}@odata.bind", f"{catalog.tables[given.table].entity_set_name}({given.id})"
