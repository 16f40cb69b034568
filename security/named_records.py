"""The records that the parameters of functions and actions name, and the right that each of them takes."""

from __future__ import annotations

from collections.abc import Iterator

from entities.messages import Execute, Target
from entities.values import EntityReference, EntityValue, KeyReference
from security.operation_privileges import EXECUTE_ON_NAMED, EXECUTE_READS_RECORDS
from security.privileges import AccessRight


def named_in(message: Execute) -> Iterator[tuple[Target, AccessRight]]:
    """Yield the records that a message's parameters name, with the right that it takes on them."""
    told = EXECUTE_READS_RECORDS.get(message.name)
    touched = EXECUTE_ON_NAMED.get(message.name, ())
    for parameter, right in (*(((told, AccessRight.READ),) if told is not None else ()), *touched):
        given = message.parameters.get(parameter)
        for value in given if isinstance(given, list) else (given,):
            target = target_of(value)
            if target is not None:
                yield target, right


def target_of(value: object) -> Target | None:
    """Return the record that a parameter names, with values or without; None where it names none."""
    found = value.target if isinstance(value, EntityValue) else value
    return found if isinstance(found, EntityReference | KeyReference) else None
