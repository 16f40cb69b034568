"""The sequences behind autonumber columns: where they stand, and setting them (Learn: "Create auto-number columns")."""

from __future__ import annotations

from entities.auto_numbers import LONGEST_NUMBER, counts
from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Operations, Stage, Step

_FIRST = 1_000
"""Where sequences begin (Learn: "Create auto-number columns")."""


def auto_number_steps() -> tuple[Step, ...]:
    """Return the handlers of the three actions."""
    return (
        Step("GetAutoNumberSeed", None, Stage.MAIN, get_seed),
        Step("GetNextAutoNumberValue", None, Stage.MAIN, get_next),
        Step("SetAutoNumberSeed", None, Stage.MAIN, set_seed),
    )


def get_seed(context: ExecutionContext) -> None:
    """Answer with the number that the sequence of a column was last set to, or begins with.

    Raises:
        InvalidArgument: there is no such table, column or sequence.
    """
    context.result = {"AutoNumberSeedValue": context.system.sequence(f"{_sequence(context)}$seed") or 1}


def get_next(context: ExecutionContext) -> None:
    """Answer with the number that the next new record will get; it is not taken.

    Raises:
        InvalidArgument: there is no such table, column or sequence.
    """
    context.result = {"NextAutoNumberValue": (context.system.sequence(_sequence(context)) or 0) + 1}


def set_seed(context: ExecutionContext) -> None:
    """Let the next new record get a number; those that are taken already may come again.

    Raises:
        InvalidArgument: there is no such table, column or sequence, or the number is negative (0x80060886) or has more
            digits than a format takes.
    """
    name, value = _sequence(context), context.parameters["Value"]
    assert isinstance(value, int)
    if value < 0:
        raise InvalidArgument("The seed of an auto-number sequence cannot be negative.", code="0x80060886")
    if value >= 10**LONGEST_NUMBER:
        raise InvalidArgument(f"The seed of an auto-number sequence has {LONGEST_NUMBER} digits at most.")
    _set(context.system, name, value)


def begin_numbers(system: Operations, table: str, column: str) -> None:
    """Let the sequence of a new column begin where those of Dataverse do."""
    _set(system, f"{table}.{column}", _FIRST)


def _set(system: Operations, name: str, value: int) -> None:
    system.set_sequence(name, value - 1)
    system.set_sequence(f"{name}$seed", value)


def _sequence(context: ExecutionContext) -> str:
    """Return the name of the sequence of the column that the parameters name."""
    table_name, column_name = (str(context.parameters[name]) for name in ("EntityName", "AttributeName"))
    table = context.system.catalog.tables.get(table_name)
    if table is None:
        raise InvalidArgument(
            f"The entity with a name = '{table_name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )
    column = table.by_name.get(column_name)
    if column is None:
        raise InvalidArgument(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{column_name}' and NameMapping ="
            " 'Logical'.",
            code="0x80041103",
        )
    if column.autonumber is None:
        raise InvalidArgument(
            f"The attribute '{column_name}' of the entity '{table_name}' is no auto-number attribute.",
            code="0x80060884",
        )
    if not counts(column.autonumber):
        raise InvalidArgument(
            f"The format of the auto-number attribute '{column_name}' of the entity '{table_name}' has no sequence.",
            code="0x80060885",
        )
    return f"{table.logical_name}.{column.logical_name}"
