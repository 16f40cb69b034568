"""Alternate keys made and deleted by messages, and the job that makes the index behind a new one.

```
CreateEntityKey ──▶ Pending ──job begins──▶ InProgress ──▶ Active
                                                └── rows with the same values ──▶ Failed
```

Learn: "Define alternate keys for a table"; a key can be used as soon as its index is active.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument, RecordNotFound
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import (
    ChoiceType,
    Column,
    DateTimeType,
    DecimalType,
    IntegerType,
    LookupType,
    StringType,
)
from entities.metadata.ids import key_id
from entities.metadata.tables import AlternateKey, KeyIndexStatus, Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.customization.components import of_key
from entities.standard.customization.finding import managed, solution_of, table_named
from entities.standard.customization.naming import LONGEST_OTHER, check_name, has_prefix, new_metadata_id
from entities.standard.customization.solution_components import add_to_solution
from entities.standard.customization.system_columns import titled
from entities.standard.system_jobs import SystemJob, queue
from entities.values import Guid

KEY_JOB: Final = "make index of alternate key"
MOST_KEYS: Final = 10
MOST_COLUMNS: Final = 16
_LONGEST_INDEX: Final = 1_700
_INDEX_CREATION: Final = 73
_IN_KEYS: Final = (StringType, IntegerType, DecimalType, DateTimeType, LookupType, ChoiceType)
_BYTES: Final = 16
_BYTES_OF_A_CHARACTER: Final = 2


def key_steps() -> tuple[Step, ...]:
    """Return the handlers of the messages about alternate keys."""
    return (
        Step("CreateEntityKey", None, Stage.MAIN, create_key),
        Step("DeleteEntityKey", None, Stage.MAIN, delete_key),
    )


def create_key(context: ExecutionContext) -> None:
    """Add `EntityKey` to the table `EntityName`; answers with EntityKeyId. A job makes its index.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: its name is not possible or taken (0x80060893), a column is none of the table, of a type that
            no key has, or secured (0x80060896), or there is a key of the same columns (0x80060894).
        InvalidArgument: the table takes no keys, or has ten of them.
    """
    system, asked = context.system, context.parameters["EntityKey"]
    assert isinstance(asked, AlternateKey)
    table = table_named(system, str(context.parameters["EntityName"]))
    _check_new(system, table, asked)
    identified = replace(
        asked,
        display_name=titled(asked.display_name, asked.schema_name),
        metadata_id=new_metadata_id(system, table.logical_name, "key", asked.logical_name),
        index_status=KeyIndexStatus.PENDING,
    )
    made = replace(identified, further=(*asked.further, ("AsyncJob", json.dumps(queue_index(context, table, asked)))))
    wider = replace(table, keys=(*table.keys, made))
    system.change_catalog(CatalogChange((wider,)))
    add_to_solution(system, solution_of(context), of_key(wider, made))
    context.result = {"EntityKeyId": key_id(wider, made)}


def queue_index(context: ExecutionContext, table: Table, key: AlternateKey) -> Guid:
    """Queue the job that makes the index of a key, and return its id."""
    job = SystemJob(
        f"Create index for {key.schema_name} for {table.logical_name}",
        "CreateEntityKeyIndex",
        _INDEX_CREATION,
        primary_table=table.logical_name,
    )
    return queue(context, KEY_JOB, {"table": table.logical_name, "key": key.logical_name}, job)


def with_key_status(table: Table, name: str, status: KeyIndexStatus) -> Table:
    """Return a table of which one alternate key has an index in another state."""
    keys = tuple(replace(key, index_status=status) if key.logical_name == name else key for key in table.keys)
    return replace(table, keys=keys)


def _check_new(system: Operations, table: Table, asked: AlternateKey) -> None:
    if table.kind is not TableKind.STANDARD:
        raise InvalidArgument(
            f"Invalid EntityKey Operation performed : the table '{table.logical_name}' takes no keys.",
            code="0x8006088f",
        )
    check_name(system, asked.schema_name, "EntityKey", LONGEST_OTHER)
    if any(key.logical_name == asked.logical_name for key in table.keys):
        text = f"An entity key with the name {asked.schema_name} already exists on entity {table.logical_name}."
        raise InvalidArgument(text, code="0x80060893")
    if any(set(key.columns) == set(asked.columns) for key in table.keys):
        raise InvalidArgument("An entity key with the selected attributes already exists on entity.", code="0x80060894")
    if len(table.keys) >= MOST_KEYS:
        raise InvalidArgument(
            f"Invalid EntityKey Operation performed : a table cannot have more than {MOST_KEYS} keys.",
            code="0x8006088f",
        )
    if not asked.columns or len(asked.columns) > MOST_COLUMNS or len(set(asked.columns)) < len(asked.columns):
        raise _invalid(f"a key has 1 to {MOST_COLUMNS} different attributes")
    _check_columns(table, asked)


def _check_columns(table: Table, asked: AlternateKey) -> None:
    size = 0
    for name in asked.columns:
        column = table.by_name.get(name)
        if column is None:
            raise _invalid(f"the attribute {name} does not exist on entity {table.logical_name}")
        if not isinstance(column.type, _IN_KEYS) or column.formula or column.rollup is not None:
            raise _invalid(f"the attribute {name} cannot be part of a key")
        if column.is_secured:
            text = (
                f"The field {name} is not securable as it is part of entity keys ( {asked.schema_name} ). Please "
                "remove the field from all entity keys to make it securable."
            )
            raise InvalidArgument(text, code="0x80060896")
        size += _size(column)
    if size > _LONGEST_INDEX:
        text = (
            f"Index size exceeded the size limit of {_LONGEST_INDEX} bytes. The key is too large. Try removing some "
            "columns or making the strings in string columns shorter."
        )
        raise InvalidArgument(text, code="0x80060895")


def _size(column: Column) -> int:
    return column.type.max_length * _BYTES_OF_A_CHARACTER if isinstance(column.type, StringType) else _BYTES


def _invalid(why: str) -> InvalidArgument:
    return InvalidArgument(f"Invalid EntityKey Operation performed : {why}.", code="0x8006088f")


def delete_key(context: ExecutionContext) -> None:
    """Delete the key `Name` of the table `EntityLogicalName`, with its index.

    Raises:
        RecordNotFound: there is no such table or key.
        InvalidArgument: the key is one of the system (0x8004f032).
    """
    system, name = context.system, str(context.parameters["Name"])
    table = table_named(system, str(context.parameters["EntityLogicalName"]))
    key = next((key for key in table.keys if name in {key.logical_name, key.schema_name}), None)
    if key is None:
        raise RecordNotFound(f"Could not find an alternate key '{name}' of the table '{table.logical_name}'.")
    if not table.is_custom and not has_prefix(system, key.schema_name):
        raise managed("EntityKey", key_id(table, key), "Delete")
    system.change_catalog(CatalogChange((replace(table, keys=tuple(k for k in table.keys if k is not key)),)))
