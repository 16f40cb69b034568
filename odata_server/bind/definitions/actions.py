"""Definitions in the parameters of actions: CreateEntities, CreateCustomerRelationships and their kin.

The types of these parameters are complex twins of the definitions' (`ComplexEntityMetadata`), with the same members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Choice, Column
from entities.metadata.relationships import OneToMany, Relationship
from entities.standard.customization.many_tables import NewTable
from odata_server.bind.definitions.columns import read_column
from odata_server.bind.definitions.keys import read_key
from odata_server.bind.definitions.relationships import MANY_TO_MANY, ONE_TO_MANY, read_relationship
from odata_server.bind.definitions.tables import read_table
from odata_server.bind.json_body import refusal

_LOOKUP: Final = "LookupAttributeMetadata"
_TYPE: Final = "@odata.type"
_RELATED: Final[Mapping[str, str]] = {
    "OneToManyRelationships": ONE_TO_MANY,
    "ManyToOneRelationships": ONE_TO_MANY,
    "ManyToManyRelationships": MANY_TO_MANY,
}


class _Misfit(ValueError):
    """What is wrong with a parameter."""


def with_definitions(name: str, parameters: Mapping[str, object], catalog: Catalog) -> dict[str, object]:
    """Return the parameters of an action with definitions in the place of their JSON.

    Args:
        name: the action; of others the parameters stay as they are.
        parameters: the parameters as the body has them.
        catalog: the definitions there are.

    Raises:
        InvalidPayload: a parameter is no such definition.
        InvalidArgument: a property has a value that it cannot have.
        RecordNotFound: it names a global choice that does not exist.
    """
    read = _READERS.get(name)
    if read is None:
        return dict(parameters)
    try:
        return {**parameters, **read(parameters, catalog)}
    except _Misfit as error:
        raise refusal(name, f"Microsoft.OData.ODataException: {error}") from error


def _tables(parameters: Mapping[str, object], catalog: Catalog) -> dict[str, object]:
    return {"Entities": [_table(item, catalog.choices) for item in _list(parameters, "Entities")]}


def _list(members: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = members.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _Misfit(f"The value of '{name}' is no array of objects.")
    return found


def _table(body: Mapping[str, object], choices: Mapping[str, Choice]) -> NewTable:
    """Return a table with its relationships; lookups among its columns come with them."""
    columns, name = _list(body, "Attributes"), str(body.get("SchemaName") or "").lower()
    lookups = {column.logical_name: column for item in columns if _is_lookup(item) for column in (_lookup(item, name),)}
    plain = {**body, "Attributes": [item for item in columns if not _is_lookup(item)]}
    related = [one for member, type_ in _RELATED.items() for one in _relationships(body, member, type_, lookups)]
    used = {one.referencing_column for one, _ in related if isinstance(one, OneToMany)}
    alone = next((lookup for lookup in lookups if lookup not in used), None)
    if alone is not None:
        raise InvalidArgument(
            f"The lookup '{alone}' has no relationship that says where it leads to.", code="0x800404c8"
        )
    keys = tuple(read_key(dict(item)) for item in _list(body, "Keys"))
    return NewTable(read_table(plain, choices), tuple(related), keys)


def _is_lookup(item: Mapping[str, object]) -> bool:
    return str(item.get(_TYPE, "")).endswith(_LOOKUP)


def _lookup(item: Mapping[str, object], table: str) -> Column:
    return read_column({_TYPE: _LOOKUP_TYPE, **item}, table, {})


_LOOKUP_TYPE: Final = f"Microsoft.Dynamics.CRM.{_LOOKUP}"


def _relationships(
    body: Mapping[str, object], member: str, type_: str, lookups: Mapping[str, Column]
) -> list[tuple[Relationship, Column | None]]:
    found: list[tuple[Relationship, Column | None]] = []
    for item in _list(body, member):
        new = read_relationship({_TYPE: f"Microsoft.Dynamics.CRM.{type_}", **item})
        one, lookup = new.relationship, new.lookup
        if isinstance(one, OneToMany) and lookup is None:
            lookup = lookups.get(one.referencing_column)
        found.append((one, lookup))
    return found


def _several_targets(parameters: Mapping[str, object], _: Catalog) -> dict[str, object]:
    """Return a lookup and the relationships that lead to its targets."""
    given = _list(parameters, "OneToManyRelationships")
    lookup = parameters.get("Lookup")
    if not isinstance(lookup, dict):
        raise _Misfit("The value of 'Lookup' is no object.")
    named = {**lookup, _TYPE: lookup.get(_TYPE) or _LOOKUP_TYPE}
    referencing = str(given[0].get("ReferencingEntity") or "").lower() if given else ""
    bodies = [{_TYPE: f"Microsoft.Dynamics.CRM.{ONE_TO_MANY}", **item} for item in given]
    relationships = [read_relationship(body).relationship for body in bodies]
    return {"Lookup": read_column(named, referencing, {}), "OneToManyRelationships": relationships}


_READERS: Final[Mapping[str, Callable[[Mapping[str, object], Catalog], dict[str, object]]]] = {
    "CreateEntities": _tables,
    "CreateCustomerRelationships": _several_targets,
    "CreatePolymorphicLookupAttribute": _several_targets,
}
