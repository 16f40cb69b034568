"""Relationships from the navigation properties of a metadata document.

A single-valued navigation property and its partner are a one-to-many relationship that bears the partner's name; two
collections that are each other's partners are a many-to-many relationship, whose pairs lie in a table that has the ids
of both ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from entities.metadata.relationships import ManyToMany, OneToMany
from odata_server.admin.csdl_columns import lookup_name
from odata_server.admin.csdl_source import OWNER, Navigated, Source, TableSource
from odata_server.edm.naming import PRINCIPAL

_OWNING = ("systemuser", "team")


@dataclass(frozen=True, slots=True)
class Lookups:
    """The single-valued navigation of a document.

    Attributes:
        relationships: the one-to-many relationships.
        targets: by table and column, the tables that a lookup leads to.
        written: by table and column, how the navigation writes a lookup's name.
        hidden: by table, the lookups that have navigation and no property.
        skipped: tables and navigation properties that no relationship can have.
    """

    relationships: list[OneToMany] = field(default_factory=list)
    targets: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    written: dict[str, dict[str, str]] = field(default_factory=dict)
    hidden: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def lookups(source: Source) -> Lookups:
    """Return the one-to-many relationships of a document, and where its lookups lead.

    Args:
        source: the tables of the document.
    """
    found = Lookups()
    for table in source.tables.values():
        columns = _columns(table, source)
        for navigation in table.singles.values():
            _add(found, table, navigation, columns, source)
    return found


def _columns(table: TableSource, source: Source) -> Mapping[str, str]:
    """Return the properties of a table by the columns that they show."""
    return {lookup_name(name) or name: name for name in source.properties(table)}


def _add(found: Lookups, table: TableSource, navigation: Navigated, columns: Mapping[str, str], source: Source) -> None:
    column = _column(table, navigation, columns, source)
    is_lookup = lookup_name(columns.get(column, "")) is not None
    to_owner = navigation.target == PRINCIPAL
    if to_owner and (column != OWNER or not is_lookup):
        found.skipped.append((table.name, navigation.name))
        return
    target = "systemuser" if to_owner else navigation.target
    if target not in source.tables:
        found.skipped.append((table.name, navigation.name))
        return
    if column not in columns:
        hidden = found.hidden.setdefault(table.name, {})
        hidden[column] = (*hidden.get(column, ()), target)
    elif is_lookup:
        led = found.targets.setdefault(table.name, {})
        led[column] = _OWNING if to_owner else (*led.get(column, ()), target)
        if navigation.name.lower().startswith(column):
            found.written.setdefault(table.name, {}).setdefault(column, navigation.name[: len(column)])
    name = navigation.partner or f"{table.name}_{navigation.name}"
    other = source.tables[target]
    key = navigation.referenced if navigation.referenced in other.properties else other.primary_id
    found.relationships.append(
        OneToMany(
            name, target, key, table.name, column, navigation.name, navigation.partner, is_custom="_" in table.name
        )
    )


def _column(table: TableSource, navigation: Navigated, columns: Mapping[str, str], source: Source) -> str:
    """Return the column behind a navigation property: of its constraint, else the one that its name begins with."""
    if navigation.dependent:
        return lookup_name(navigation.dependent) or navigation.dependent
    name = navigation.name.lower()
    begun = [column for column in columns if name == column or name.startswith(f"{column}_")]
    if begun:
        return max(begun, key=len)
    base = source.base_of(table)
    if base is not None:
        # What a base calls `sla_activitypointer_sla` is `sla_task_sla` in a table that derives from it.
        same = base.singles.get(navigation.name.replace(f"_{table.name}", f"_{base.name}"))
        if same is not None:
            return lookup_name(same.dependent) or same.name.lower()
    return name


def pairs(source: Source) -> Iterator[ManyToMany]:
    """Yield the many-to-many relationships of a document; one whose pairs lie nowhere is left out.

    Args:
        source: the tables of the document.
    """
    done: set[tuple[str, str]] = set()
    # A table of pairs has nothing that points back to it.
    columns = {t.name: frozenset(_columns(t, source)) for t in source.tables.values() if not t.collections}
    for table in source.tables.values():
        for navigation in table.collections.values():
            other = source.tables.get(navigation.target)
            if other is None or navigation.partner not in other.collections:
                continue
            if (table.name, navigation.name) in done:
                continue
            done.add((other.name, navigation.partner))
            found = _pair(table, navigation, other, [(source.tables[name], own) for name, own in columns.items()])
            if found is not None:
                yield found


def _pair(
    table: TableSource, navigation: Navigated, other: TableSource, narrow: list[tuple[TableSource, frozenset[str]]]
) -> ManyToMany | None:
    candidates = [
        (candidate, ends)
        for candidate, columns in narrow
        if (ends := _ends(candidate, columns, table, other)) is not None
    ]
    if not candidates:
        return None

    def likeness(found: tuple[TableSource, tuple[str, str]]) -> tuple[int, int]:
        shared = max(_shared(found[0].name, name) for name in (navigation.name, navigation.partner))
        return shared, -len(found[0].properties)

    intersect, (near, far) = max(candidates, key=likeness)
    return ManyToMany(
        navigation.name,
        intersect.name,
        table.name,
        near,
        navigation.name,
        other.name,
        far,
        navigation.partner,
        is_custom="_" in intersect.name,
    )


def _shared(first: str, second: str) -> int:
    """Return with how many characters two names begin in the same way."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _ends(
    candidate: TableSource, columns: frozenset[str], table: TableSource, other: TableSource
) -> tuple[str, str] | None:
    """Return the columns of a table that point to both ends, None where it has no such columns."""
    near, far = table.primary_id, other.primary_id
    own = columns - {candidate.primary_id}
    if table is other:
        ending = sorted((name for name in own if name.endswith(near)), key=lambda name: (len(name), name))
        return (ending[0], ending[1]) if len(ending) > 1 and ending[0] == near else None
    return (near, far) if near in own and far in own and candidate not in (table, other) else None
