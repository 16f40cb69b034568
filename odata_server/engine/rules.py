"""What is the same for every transaction of an environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from entities.errors import NotSupported
from entities.metadata.tables import Table
from entities.pipeline import Pipeline
from odata_server.engine.reading import PlanCache
from security.principals import Principal


@dataclass(frozen=True, slots=True)
class Rules:
    """The steps of the event pipeline, the system's principal, and the statements compiled before.

    `security_tables` are those whose change alters who may do what.
    """

    pipeline: Pipeline
    system: Callable[[], Principal]
    security_tables: frozenset[str]
    plans: PlanCache


def not_in_transaction(table: Table) -> NotSupported:
    """Return the refusal for a change of a virtual table among changes that succeed or fail as a whole."""
    return NotSupported(f"A transaction cannot span the virtual table '{table.logical_name}' and native tables.")
