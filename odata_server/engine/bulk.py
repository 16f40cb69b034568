"""Changes of many records at once: each goes through its own stages, their rows are written together.

Learn: "Use bulk operation messages" (the pipelines of the single and of the multiple message are merged). A change
that could see what one before it does waits until that is written: it names the same record or points to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from entities.messages import Create, Target, Update, Upsert, Written
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.text import fold
from entities.values import EntityReference, Guid, KeyReference, references_in
from odata_server.engine.database import Writer
from odata_server.engine.row_sets import RowWrite, stamp_all, write_all
from security.authorize import Authorized


@dataclass(frozen=True, slots=True)
class Draft:
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
        if isinstance(self.message, Create):
            return RowWrite(self.context.record)
        return RowWrite(self.context.record, self.reference.id)


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


def change_all(messages: Sequence[Create | Update | Upsert], stages: Stages) -> tuple[Written, ...]:
    """Make the changes, in their order as far as anybody can tell.

    Args:
        messages: changes of records of one table.
        stages: how.

    Raises:
        DataverseError: one of them is refused.
    """
    written: list[Written] = []
    waiting = _Waiting()
    ids = [target.id for target in map(_target, messages) if isinstance(target, EntityReference)]
    if len(ids) > 1:
        stages.read_ahead(_table(messages[0]), ids)
    for message in messages:
        alone = message.detects_duplicates or _table(message) in stages.alone
        if alone or (isinstance(message, Create) and message.related):
            written += _write(waiting, stages)
            waiting = _Waiting()
            written.append(stages.perform(message))
            continue
        if waiting.drafts and _must_wait(message, waiting):
            written += _write(waiting, stages)
            waiting = _Waiting()
        _note(waiting, message, stages.begin(stages.settle(message) if isinstance(message, Upsert) else message))
    return (*written, *_write(waiting, stages))


def _table(message: Create | Update | Upsert) -> str:
    return message.table if isinstance(message, Create) else message.target.table


def _target(message: Create | Update | Upsert) -> Target | None:
    return None if isinstance(message, Create) else message.target


def _must_wait(message: Create | Update | Upsert, waiting: _Waiting) -> bool:
    """Say whether a change names or points to a record that is not written yet, or might."""
    if waiting.assigns:
        return True
    target, table = _target(message), waiting.drafts[0].table.logical_name
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
    waiting.ids.add(draft.reference)
    if isinstance(draft.message, Update):
        waiting.assigns |= "ownerid" in draft.context.record
        values = draft.context.record.values()
        waiting.moves |= any(isinstance(v, EntityReference) and v.table == draft.table.logical_name for v in values)
    target = _target(message)
    if isinstance(target, KeyReference):
        waiting.keys.add(_key_text(target))
    else:
        waiting.without_key = True


def _write(waiting: _Waiting, stages: Stages) -> list[Written]:
    if not waiting.drafts:
        return []
    table, writes = waiting.drafts[0].table, [draft.row() for draft in waiting.drafts]
    stamp_all(stages.connection, table, writes)
    write_all(stages.connection, table, writes)
    stages.check(waiting.drafts)
    return [stages.end(draft) for draft in waiting.drafts]
