"""Which records that point to another one a cascade of it reaches.

Learn: "Configure entity relationship cascading behavior". Cascade reaches all of them, Active the active ones,
UserOwned those of the same owner.
"""

from __future__ import annotations

from typing import Final, assert_never

from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table
from entities.query import Filter, both, equals
from entities.values import EntityReference, Record, Value

ACTIVE_STATE: Final = 0


def reached(
    behavior: Cascade, relationship: OneToMany, child: Table, parent: EntityReference, owner: Value
) -> Filter | None:
    """Return the records of a table that a cascade reaches, as a filter; None where it reaches none.

    Args:
        behavior: how the relationship passes on what happens to the parent.
        relationship: the relationship.
        child: the table whose records point to the parent.
        parent: the record something happens to.
        owner: whose it is, or was when it is about to be another's.
    """
    points_here = equals(relationship.referencing_column, parent)
    match behavior:
        case Cascade.CASCADE:
            return points_here
        case Cascade.ACTIVE:
            return both(points_here, equals("statecode", ACTIVE_STATE)) if "statecode" in child.by_name else points_here
        case Cascade.USER_OWNED:
            return both(points_here, equals("ownerid", owner))
        case Cascade.NO_CASCADE | Cascade.REMOVE_LINK | Cascade.RESTRICT:
            return None
        case unknown:
            assert_never(unknown)


def reaches(behavior: Cascade, child: Record, owner: Value) -> bool:
    """Say whether a cascade reaches one record that points to the parent.

    Args:
        behavior: how the relationship passes on what happens to the parent.
        child: the record.
        owner: whose the parent is.
    """
    match behavior:
        case Cascade.CASCADE:
            return True
        case Cascade.ACTIVE:
            return child.get("statecode", ACTIVE_STATE) == ACTIVE_STATE
        case Cascade.USER_OWNED:
            return child.get("ownerid") == owner
        case Cascade.NO_CASCADE | Cascade.REMOVE_LINK | Cascade.RESTRICT:
            return False
        case unknown:
            assert_never(unknown)
