"""Changes of many records at once: each goes through its own stages, their rows are written together.

Learn: "Use bulk operation messages" (the pipelines of the single and of the multiple message are merged). What could
see what a change does waits until that is written: a change of the same record, one that points to it, a query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from entities.messages import Create, Target, Update, Upsert, Written
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.query import QueryExpression
from entities.text import fold
from entities.values import EntityReference, Guid, KeyReference, references_in
from odata_server.engine.database import Writer
from odata_server.engine.own_columns import own_columns
from odata_server.engine.row_sets import RowWrite, stamp_all, write_all
from security.authorize import Authorized
from security.principals import Principal


class Draft(NamedTuple):
    """A record between the stages before and behind the main operation."""

    message: Create | Update
    authorized: Authorized[Create] | Authorized[Update]
    table: Table
    context: ExecutionContext

    @property
    def reference(self) -> EntityReference:
        """The record."""
        assert self.context.reference is not None
        return self.context.reference

    def row(self) -> RowWrite:
        """Return what is to be written."""
        return RowWrite(self.context.record, None if type(self.message) is Create else self.reference.id)


@dataclass(frozen=True, slots=True)
class Stages:
    """How one change is made, inside the running transaction and for its caller.

    Attributes:
        connection: the transaction's.
        settle: tells whether an upsert makes a record or changes one.
        begin: everything up to the main operation.
        check: checks the rights that the rows decide, once they are written.
        end: everything behind it.
        perform: a change as a whole.
        alone: the tables whose rules look at other rows: their records are written one by one.
        read_ahead: reads the records of a table that will be changed.
    """

    connection: Writer
    settle: Callable[[Upsert], Create | Update]
    begin: Callable[[Create | Update], Draft]
    check: Callable[[Sequence[Draft]], None]
    end: Callable[[Draft], Written]
    perform: Callable[[Create | Update | Upsert], Written]
    alone: frozenset[str]
    read_ahead: Callable[[str, Sequence[Guid]], None]


@dataclass(slots=True)
class _Waiting:
    """Drafts whose rows are not written yet, and how they are known to the changes behind them.

    `moves` says whether one of them points to a record of its own table, and so may have moved in a hierarchy;
    `assigns` whether one has a new owner, who gets other records along.
    """

    drafts: list[Draft] = field(default_factory=list)
    ids: set[EntityReference] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    without_key: bool = False
    moves: bool = False
    assigns: bool = False


class Pending:
    """Changes that are under way: begun, and written as late as nobody can tell.

    Args:
        stages: how one is made.
        principal: for whom.
    """

    def __init__(self, stages: Stages, principal: Principal) -> None:
        self._stages = stages
        self.principal = principal
        self._waiting = _Waiting()
        self._written: list[Written] = []

    @property
    def drafts(self) -> Sequence[Draft]:
        """What is begun and not written yet."""
        return self._waiting.drafts

    def change_all(self, messages: Sequence[Create | Update | Upsert]) -> tuple[Written, ...]:
        """Make changes of records of one table, in their order as far as anybody can tell.

        Raises:
            DataverseError: one of them is refused.
        """
        self.write()
        self._written = []
        ids = [target.id for target in map(_target, messages) if isinstance(target, EntityReference)]
        if len(ids) > 1:
            self._stages.read_ahead(_table(messages[0]), ids)
        alone = bool(messages) and _table(messages[0]) in self._stages.alone
        for message in messages:
            if alone or message.detects_duplicates or (isinstance(message, Create) and message.related):
                # It, or its table's rules, look at other rows, or others come with it.
                self.write()
                self._written.append(self._stages.perform(message))
            else:
                self.change(message)
        self.write()
        return tuple(self._written)

    def change(self, message: Create | Update | Upsert) -> Draft:
        """Begin a change of a record; those before it are written first where it could see them.

        Raises:
            DataverseError: it, or one before it, is refused.
        """
        if self._waiting.drafts and _must_wait(message, self._waiting):
            self.write()
        stages = self._stages
        draft = stages.begin(stages.settle(message) if isinstance(message, Upsert) else message)
        _note(self._waiting, message, draft)
        return draft

    def write(self) -> None:
        """Write what is begun.

        Raises:
            DataverseError: a change is refused.
        """
        drafts, self._waiting, stages = self._waiting.drafts, _Waiting(), self._stages
        if not drafts:
            return
        table, writes = drafts[0].table, [draft.row() for draft in drafts]
        stamp_all(stages.connection, table, writes)
        write_all(stages.connection, table, writes)
        stages.check(drafts)
        self._written += map(stages.end, drafts)

    def is_seen_by(self, query: QueryExpression) -> bool:
        """Say whether a query could find what is not written yet."""
        if not self._waiting.drafts:
            return False
        is_of_one_table = not query.links and not query.expansions and own_columns(query.filter) is not None
        return not is_of_one_table or query.table == self._waiting.drafts[0].table.logical_name


def _table(message: Create | Update | Upsert) -> str:
    return message.table if isinstance(message, Create) else message.target.table


def _target(message: Create | Update | Upsert) -> Target | None:
    return None if isinstance(message, Create) else message.target


def _must_wait(message: Create | Update | Upsert, waiting: _Waiting) -> bool:
    """Say whether a change names or points to a record that is not written yet, or might."""
    target, table = _target(message), waiting.drafts[0].table.logical_name
    if waiting.assigns or _table(message) != table:
        return True
    match target:
        case EntityReference() if target in waiting.ids:
            return True
        case KeyReference() if waiting.without_key or _key_text(target) in waiting.keys:
            return True
    for value in references_in(message.record):
        if isinstance(value, EntityReference) and (value in waiting.ids or (waiting.moves and value.table == table)):
            return True
        if isinstance(value, KeyReference) and value.table == table:
            return True
    return False


def _key_text(key: KeyReference) -> str:
    """Return a key so that two that name the same record are the same."""
    return "\0".join(f"{name}={fold(str(value))}" for name, value in sorted(key.values))


def _note(waiting: _Waiting, message: Create | Update | Upsert, draft: Draft) -> None:
    waiting.drafts.append(draft)
    if isinstance(message, Create):
        waiting.without_key = True
        # Nobody can point to an id yet that the server has chosen.
        if draft.table.primary_id in message.record:
            waiting.ids.add(draft.reference)
        return
    waiting.ids.add(draft.reference)
    if isinstance(draft.message, Update):
        waiting.assigns |= "ownerid" in draft.context.record
        values = draft.context.record.values()
        waiting.moves |= any(isinstance(v, EntityReference) and v.table == draft.table.logical_name for v in values)
    if isinstance(message.target, KeyReference):
        waiting.keys.add(_key_text(message.target))
    else:
        waiting.without_key = True
