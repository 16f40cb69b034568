"""Access that records get from those they belong to: from whom the parent is shared with, and from its owner.

Learn: "Configure entity relationship cascading behavior". What is granted on a record goes to the records below where
the relationship cascades Share, what is taken away where it cascades Unshare. A record that gets another parent gets
the access of that one in place of the former's where the relationship cascades Reparent; then the owner of the parent
has every right on it as well. All of it stands in the inherited mask of a share, apart from what was granted directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, assert_never

from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.metadata.tables import Table
from entities.pipeline import Caller, Operations
from entities.query import QueryExpression
from entities.standard.cascading import reaches
from entities.standard.lookups import by_id
from entities.standard.shares import NO_SHARE, NO_SHARES, SharesByPrincipal, keep, note_table, one_of, shares_of
from entities.standard.sharing import OF_PARENT_OWNER, SHARABLE
from entities.values import EntityReference, Guid, Record, Value

_REACHES_NONE: Final = frozenset({Cascade.NO_CASCADE, Cascade.REMOVE_LINK, Cascade.RESTRICT})


class Cause(Enum):
    """What happened to the access of a parent."""

    SHARED = "Share"
    UNSHARED = "Unshare"
    REPARENTED = "Reparent"


def _behavior(cause: Cause, cascade: CascadeConfiguration) -> Cascade:
    match cause:
        case Cause.SHARED:
            return cascade.share
        case Cause.UNSHARED:
            return cascade.unshare
        case Cause.REPARENTED:
            return cascade.reparent
        case unknown:
            assert_never(unknown)


def pass_on(system: Operations, caller: Caller, parent: EntityReference, cause: Cause) -> None:
    """Give the records below a record the access that follows from its own.

    Args:
        system: the transaction's operations.
        caller: in whose name the shares are written.
        parent: the record whose access has changed.
        cause: what happened to it.
    """
    _Walk(system, caller, cause).below(parent)


def reparent(system: Operations, caller: Caller, record: EntityReference, *, has_new_owner: bool) -> None:
    """Give a record, and those below it, the access that follows from its parents and owners as they are now.

    Args:
        system: the transaction's operations.
        caller: in whose name the shares are written.
        record: the record that has another parent or owner.
        has_new_owner: whether it is another's now, who gets access to the records below.
    """
    walk = _Walk(system, caller, Cause.REPARENTED)
    stored = shares_of(system, (record.id,)).get(record.id, NO_SHARES)
    if walk.settle(record, by_id(system, record), stored) or has_new_owner:
        walk.below(record)


@dataclass(frozen=True, slots=True)
class _Parent:
    """What a parent passes on: whose it is, and the masks of the principals that have access to it."""

    owner: Value
    masks: Mapping[EntityReference, int]


@dataclass(slots=True)
class _Walk:
    """One walk down the records that inherit; what parents pass on is read once."""

    system: Operations
    caller: Caller
    cause: Cause
    _parents: dict[EntityReference, _Parent] = field(default_factory=dict)
    _noted: set[tuple[str, EntityReference]] = field(default_factory=set)

    def below(self, start: EntityReference) -> None:
        """Settle the access of all records below one, as far as it changes; records of one table together."""
        waiting = {start.table: [start.id]}
        while waiting:
            table, parents = waiting.popitem()
            for relationship in self.system.catalog.bequeathing.get(table, ()):
                changed = self._settled(relationship, parents)
                if changed:
                    waiting.setdefault(relationship.referencing_table, []).extend(changed)

    def _settled(self, relationship: OneToMany, parents: Sequence[Guid]) -> list[Guid]:
        """Settle the records that a relationship passes access on to; return those whose access has changed."""
        table, behavior = relationship.referencing_table, _behavior(self.cause, relationship.cascade)
        key = self.system.catalog.tables[table].primary_id
        children = {
            Guid(str(record[key])): record
            for record in self._below(relationship, parents)
            if self._reaches(behavior, relationship, record)
        }
        stored = shares_of(self.system, children)
        references = [(EntityReference(table, key), record) for key, record in children.items()]
        return [one.id for one, record in references if self.settle(one, record, stored.get(one.id, NO_SHARES))]

    def _below(self, relationship: OneToMany, parents: Sequence[Guid]) -> Iterator[Record]:
        """Yield the records that point to some others."""
        table = self.system.catalog.tables[relationship.referencing_table]
        if _behavior(self.cause, relationship.cascade) in _REACHES_NONE:
            return
        for among in one_of(relationship.referencing_column, parents):
            yield from self.system.records(QueryExpression(table.logical_name, self._columns(table), filter=among))

    def _reaches(self, behavior: Cascade, relationship: OneToMany, child: Record) -> bool:
        above = child.get(relationship.referencing_column)
        if not isinstance(above, EntityReference) or above.table != relationship.referenced_table:
            return False
        return reaches(behavior, child, self._parent(above).owner if behavior is Cascade.USER_OWNED else None)

    def _columns(self, table: Table) -> tuple[str, ...]:
        lookups = (r.referencing_column for r in self.system.catalog.inheriting[table.logical_name])
        state = ("statecode",) if "statecode" in table.by_name else ()
        return tuple(dict.fromkeys((table.primary_id, "ownerid", *state, *lookups)))

    def settle(self, reference: EntityReference, record: Record, stored: SharesByPrincipal) -> bool:
        """Write what a record inherits now and say whether that is something else than before."""
        wanted = self._wanted(reference.table, record, stored)
        changed = False
        for principal in {**stored, **wanted}:
            before, inherited = stored.get(principal, NO_SHARE), wanted.get(principal, 0)
            if before.inherited != inherited:
                keep(self.system, self.caller, reference, principal, replace(before, inherited=inherited))
                changed = True
                if inherited and (reference.table, principal) not in self._noted:
                    note_table(self.system, self.caller, reference.table, principal)
                    self._noted.add((reference.table, principal))
        if changed:
            self._parents.pop(reference, None)
        return changed

    def _wanted(self, table: str, record: Record, stored: SharesByPrincipal) -> dict[EntityReference, int]:
        wanted: dict[EntityReference, int] = {}
        for relationship in self.system.catalog.inheriting.get(table, ()):
            above = record.get(relationship.referencing_column)
            if not isinstance(above, EntityReference) or above.table != relationship.referenced_table:
                continue
            for principal, mask in self._passed(relationship.cascade, above, record, stored).items():
                if principal != record.get("ownerid") and mask:
                    wanted[principal] = wanted.get(principal, 0) | mask
        return wanted

    def _passed(
        self, cascade: CascadeConfiguration, above: EntityReference, record: Record, stored: SharesByPrincipal
    ) -> dict[EntityReference, int]:
        """Return the masks that a record gets from one parent."""
        parent = self._parent(above)
        if reaches(cascade.reparent, record, parent.owner):
            passed = dict(parent.masks)
            if isinstance(parent.owner, EntityReference):
                passed[parent.owner] = passed.get(parent.owner, 0) | SHARABLE | OF_PARENT_OWNER
            return passed
        if not reaches(cascade.share, record, parent.owner):
            return {}
        if self.cause is Cause.SHARED:
            return dict(parent.masks)
        # Shares reach the records that were there when they were made; what they gave stays as long as they last.
        return {one: mask & stored.get(one, NO_SHARE).inherited for one, mask in parent.masks.items()}

    def _parent(self, parent: EntityReference) -> _Parent:
        if parent not in self._parents:
            owner = by_id(self.system, parent, "ownerid").get("ownerid")
            shares = shares_of(self.system, (parent.id,)).get(parent.id, NO_SHARES)
            rights = SHARABLE | OF_PARENT_OWNER
            masks = {one: (share.granted | share.inherited) & rights for one, share in shares.items()}
            self._parents[parent] = _Parent(owner, masks)
        return self._parents[parent]
