"""Definitions that messages name, and the refusals where there are none or where they are not to be changed."""

from __future__ import annotations

import json
from datetime import datetime

from entities.errors import InvalidArgument, RecordNotFound
from entities.metadata.columns import Column
from entities.metadata.labels import Further
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations


def table_named(system: Operations, name: str) -> Table:
    """Return a table by its logical name.

    Raises:
        RecordNotFound: there is none (0x80040217).
    """
    found = system.catalog.tables.get(name)
    if found is None:
        raise RecordNotFound(
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
        )
    return found


def column_named(table: Table, name: str) -> Column:
    """Return a column of a table by its logical name.

    Raises:
        RecordNotFound: it has none of this name.
    """
    found = table.by_name.get(name)
    if found is None:
        raise RecordNotFound(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
        )
    return found


def relationship_named(system: Operations, name: str) -> Relationship:
    """Return a relationship by its schema name.

    Raises:
        RecordNotFound: there is none.
    """
    found = system.catalog.relationships.get(name)
    if found is None:
        raise RecordNotFound(f"Could not find a relationship with SchemaName = '{name}'.")
    return found


def managed(kind: str, identifier: str, operation: str) -> InvalidArgument:
    """Return the refusal to change or delete a part of Dataverse itself (0x8004f032).

    Args:
        kind: what it is: Entity, Attribute, Relationship, OptionSet.
        identifier: its MetadataId.
        operation: what was asked for.
    """
    return InvalidArgument(
        f"The '{operation}' operation on the current component(name='{kind}', id='{identifier}') failed during managed "
        f"property evaluation of condition: 'Managed Property Name: iscustomizable; Component Name: {kind}; "
        "Attribute Name: ismanaged'",
        code="0x8004f032",
    )


def stamped(further: Further, now: datetime, *, is_new: bool = False) -> Further:
    """Return the kept properties of a definition with the moments when it was made and changed.

    Args:
        further: the kept properties.
        now: the moment of the change.
        is_new: whether the definition is made by it.
    """
    moment = json.dumps(now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    made = {"CreatedOn": moment} if is_new else {}
    return tuple({**dict(further), **made, "ModifiedOn": moment}.items())


def solution_of(context: ExecutionContext) -> str | None:
    """Return the unique name of the solution that takes in what a message makes, None where none is named."""
    given = context.parameters.get("SolutionUniqueName") or context.caller.solution
    return str(given) if given else None
