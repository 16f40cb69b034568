"""Relationships between tables: one-to-many (seen from the other side: a lookup) and many-to-many."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from entities.metadata.labels import Further
from entities.values import Guid


class Cascade(Enum):
    """What happens to the referencing records (Learn: "Configure entity relationship cascading behavior")."""

    NO_CASCADE = "NoCascade"
    CASCADE = "Cascade"
    ACTIVE = "Active"
    USER_OWNED = "UserOwned"
    REMOVE_LINK = "RemoveLink"
    RESTRICT = "Restrict"


@dataclass(frozen=True, slots=True)
class CascadeConfiguration:
    """The behavior per action on the referenced record."""

    assign: Cascade = Cascade.NO_CASCADE
    delete: Cascade = Cascade.REMOVE_LINK
    merge: Cascade = Cascade.NO_CASCADE
    reparent: Cascade = Cascade.NO_CASCADE
    share: Cascade = Cascade.NO_CASCADE
    unshare: Cascade = Cascade.NO_CASCADE


@dataclass(frozen=True, slots=True)
class OneToMany:
    """`referenced_table` has many `referencing_table` records through the lookup `referencing_column`.

    `referencing_navigation` is the single-valued navigation property of the lookup, `referenced_navigation` the
    collection on the other side. A table may be related to itself by one hierarchical relationship.
    """

    schema_name: str
    referenced_table: str
    referenced_column: str
    referencing_table: str
    referencing_column: str
    referencing_navigation: str
    referenced_navigation: str
    cascade: CascadeConfiguration = CascadeConfiguration()
    is_custom: bool = False
    metadata_id: Guid | None = None
    is_hierarchical: bool = False
    further: Further = ()


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """Two tables joined through an intersect table; both navigation properties carry the same kind of name."""

    schema_name: str
    intersect_table: str
    table1: str
    column1: str
    navigation1: str
    table2: str
    column2: str
    navigation2: str
    is_custom: bool = False
    metadata_id: Guid | None = None
    further: Further = ()


Relationship: TypeAlias = OneToMany | ManyToMany
