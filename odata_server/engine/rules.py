"""What is the same for every transaction of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from entities.errors import InvalidOperation, NotSupported
from entities.metadata.tables import Table
from entities.pipeline import Caller, Pipeline
from entities.values import EntityReference, Guid
from odata_server.engine.reading import PlanCache
from odata_server.engine.registered_steps import RegisteredSteps
from security.directory import Directory
from security.principals import Principal

_MAX_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """The steps of the event pipeline, the principals, and the statements compiled before.

    `security_tables` are those whose change alters who may do what, `registered` the steps that rows register.
    """

    pipeline: Pipeline
    directory: Directory
    security_tables: frozenset[str]
    plans: PlanCache
    registered: RegisteredSteps

    def system(self) -> Principal:
        """Return the principal that may do everything."""
        return self.directory.system()

    def user(self, user_id: Guid) -> Principal:
        """Return the principal of a user; the system's own is asked for as well.

        Raises:
            AccessDenied: there is no such user, it is disabled or has no roles.
        """
        system = self.directory.system()
        return system if user_id == system.caller.user_id else self.directory.by_id(user_id)

    def principal(self, reference: EntityReference) -> Principal:
        """Return the principal of a user or team.

        Raises:
            AccessDenied: as `user`, or there is no such team.
        """
        return self.directory.team(reference.id) if reference.table == "team" else self.user(reference.id)


def not_in_transaction(table: Table) -> NotSupported:
    """Return the refusal for a change of a virtual table among changes that succeed or fail as a whole."""
    return NotSupported(f"A transaction cannot span the virtual table '{table.logical_name}' and native tables.")


def no_versions(table: Table) -> InvalidOperation:
    """Return the refusal for a condition on the version of a virtual table's row."""
    return InvalidOperation(
        f"Optimistic concurrency isn't enabled for entity type {table.logical_name}. The IfVersionMatches value of"
        " ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
        code="0x8006088d",
    )


class Callers:
    """For whom messages run, each inside those that caused it: `with callers(caller): ...`.

    `outer` is how deep the message was nested that caused the whole transaction, as that of a job.

    Args:
        first: for whom the first of them run what nobody has sent.
    """

    def __init__(self, first: Caller) -> None:
        self._callers = [first]
        self.outer = 0

    @property
    def now(self) -> Caller:
        """For whom the running message runs."""
        return self._callers[-1]

    @property
    def depth(self) -> int:
        """How deep the running message is nested, itself counted (Learn: "Understand the execution context", Depth)."""
        return self.outer + len(self._callers) - 1

    def __call__(self, caller: Caller) -> Callers:
        """Begin a message.

        Raises:
            InvalidOperation: it is nested too deeply: steps send messages without end.
        """
        if self.depth >= _MAX_DEPTH:
            raise InvalidOperation(
                "This workflow job was canceled because the workflow that started it included an infinite loop. Correct"
                " the workflow logic and try again. For information about workflow logic, see Help.",
                code="0x80044182",
            )
        self._callers.append(caller)
        return self

    def __enter__(self) -> None:
        """Run it."""

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._callers.pop()
