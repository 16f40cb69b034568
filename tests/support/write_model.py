"""What writes do to gadgets, accounts and contacts, told in plain Python and in terms of the Web API alone.

Nothing here knows the engine. A write either gives the state behind it or is refused; a refusal names the statuses that
may tell it, because a request with several faults may be refused for any of them.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from write_model_writes import Create, Delete, Link, Many, New, Patch, SetValue, Target, Write

COLUMNS = {
    "gadgets": ("name", "code", "size", "shelf", "color", "isnew"),
    "accounts": ("name",),
    "contacts": ("lastname",),
}
IDS = {"gadgets": "gadgetid", "accounts": "accountid", "contacts": "contactid"}
DEFAULTS = {"gadgets": {"color": 6, "isnew": True}, "accounts": {}, "contacts": {}}
LIMITS = {"name": {"gadgets": 20, "accounts": 160}, "code": {"gadgets": 10}, "lastname": {"contacts": 50}}
KEYS = (("code",), ("size", "shelf"))

LOOKUPS = {
    "maker": ("maker", "accounts"),
    "seller": ("seller", "accounts"),
    "keeper": ("keeper", "contacts"),
    "secondkeeper": ("secondkeeper", "contacts"),
    "partner_account": ("partner", "accounts"),
    "partner_contact": ("partner", "contacts"),
    "whole": ("whole", "gadgets"),
}
"""The lookups of gadgets: navigation property, column, where it leads."""

COLLECTIONS = {
    "accounts": {"gadgets_maker": "maker", "gadgets_seller": "seller", "gadgets_partner_account": "partner_account"},
    "contacts": {
        "gadgets_keeper": "keeper",
        "gadgets_secondkeeper": "secondkeeper",
        "gadgets_partner_contact": "partner_contact",
    },
    "gadgets": {"parts": "whole"},
}
"""Collections of gadgets, each with the lookup that leads back."""

PAIRED = {"gadgets": ("users", "contacts"), "contacts": ("gadgets_used", "gadgets")}
CASCADING, RESTRICTING = ("keeper", "secondkeeper", "whole"), "seller"

Reference: TypeAlias = tuple[str, str]
"""A set and an id."""

ANYTHING = frozenset({400, 404, 405, 412})


class Refused(Exception):
    """A write is refused, with one of some statuses."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(statuses)
        self.statuses = frozenset(statuses)


@dataclass(slots=True)
class State:
    """All records, who uses what, and the entity tags that were read; a written record's is not known."""

    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {name: {} for name in COLUMNS})
    pairs: set[tuple[str, str]] = field(default_factory=set)
    tags: dict[Reference, str | None] = field(default_factory=dict)

    def find(self, target: Target, made: dict[int, Reference]) -> Reference | None:
        """Return the record that a request names, or None."""
        if target.made_by is not None:
            found = made[target.made_by]
            return found if found[1] in self.rows[found[0]] else None
        if target.id is not None:
            return (target.set, target.id) if target.id in self.rows[target.set] else None
        wanted = [folded(value) for _, value in target.key]
        for identifier, row in self.rows[target.set].items():
            if [folded(row[name]) for name, _ in target.key] == wanted:
                return target.set, identifier
        return None

    def pointing(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """Yield the gadgets that point to a record, with the column that does."""
        for identifier, row in self.rows["gadgets"].items():
            for column in ("maker", "seller", "keeper", "secondkeeper", "partner", "whole"):
                if row[column] == reference:
                    yield identifier, column


def folded(value: Any) -> Any:
    """Return a value as keys compare it."""
    return value.lower() if isinstance(value, str) else value


class Executing:
    """One request, or one change set, being executed on a copy of a state.

    Args:
        state: what is there before.
    """

    def __init__(self, state: State) -> None:
        self.state = copy.deepcopy(state)
        self.given: Iterator[str] = iter(())
        self.unknown = map("unknown {}".format, itertools.count())
        self.made: dict[int, Reference] = {}

    def execute(self, write: Write, number: int, given: Iterable[str]) -> None:
        """Execute a write; given are the ids that the service chose for records without one, in their order.

        Raises:
            Refused: it changes nothing.
        """
        self.given = itertools.chain(given, self.unknown)
        match write:
            case Create(new):
                self.made[number] = self._create(new)
            case Patch(target, new, condition):
                self._patch(target, new, condition)
            case SetValue(target, column, value, condition):
                new = New(target.set, {column: value})
                self._update(self._existing(target, condition, new), new)
            case Delete(target, condition):
                self._delete(self._existing(target, condition))
            case Link():
                self._link(write)
            case Many(kind, _, records):
                try:
                    for record in records:
                        self._one_of_many(kind, record)
                except Refused:
                    raise Refused(*ANYTHING) from None

    def _one_of_many(self, kind: str, new: New) -> None:
        exists = new.id in self.state.rows[new.set]
        if kind == "CreateMultiple" or (kind == "UpsertMultiple" and not exists):
            self._create(new)
        elif exists and new.id is not None:
            self._update((new.set, new.id), new)
        else:
            raise Refused(404)

    def _existing(self, target: Target, condition: str, new: New | None = None) -> Reference:
        """Return the record that must be there in a version; of several faults of the request any may be told."""
        found = self.state.find(target, self.made)
        others = self._faults(new, found) if new else ()
        if found is None:
            raise Refused(404, *others)
        if self._is_other_version(found, condition):
            raise Refused(412, *others)
        return found

    def _is_other_version(self, found: Reference, condition: str) -> bool:
        """Say whether a record is not at the version that a condition asks for."""
        tag = self.state.tags.get(found)
        if condition.startswith("!"):
            return tag == condition[1:]
        return condition.startswith("W/") and tag != condition

    def _patch(self, target: Target, new: New, condition: str) -> None:
        found = self.state.find(target, self.made)
        if condition == "new" and found is not None:
            raise Refused(*({412} | self._faults(new, None)))
        if found is not None and condition.startswith("!") and self._is_other_version(found, condition):
            raise Refused(412, *self._faults(new, found))
        if condition and condition != "new" and not condition.startswith("!"):
            found = self._existing(target, condition, new)
        if found is not None:
            self._update(found, new)
            return
        values = {**dict(target.key), **new.values}
        self._create(New(new.set, values, new.lookups, target.id, new.made, new.bound), by_url=True)

    def _faults(self, new: New, own: Reference | None) -> set[int]:
        """Return the statuses of everything that is wrong with a record."""
        faults = {400} if any(not _fits(new.set, *value) for value in new.values.items()) else set()
        for target in new.lookups.values():
            if target is not None and self.state.find(target, self.made) is None:
                faults.add(404)
        before = self.state.rows[own[0]][own[1]] if own else {}
        if new.set == "gadgets" and self._is_taken({**before, **new.values}, own):
            faults.add(412)
        return faults

    def _is_taken(self, row: dict[str, Any], own: Reference | None) -> bool:
        for key in KEYS:
            values = [folded(row.get(name)) for name in key]
            if None in values:
                continue
            for identifier, other in self.state.rows["gadgets"].items():
                if ("gadgets", identifier) != own and [folded(other[name]) for name in key] == values:
                    return True
        return False

    def _create(self, new: New, *, by_url: bool = False) -> Reference:
        identifier = new.id if new.id is not None else next(self.given)
        if not new.made and not new.bound:
            return self._put(new, identifier, {}, by_url=by_url)
        try:
            lookups = {navigation: self._create(new.made[navigation][0]) for navigation in _made_before(new)}
            own = self._put(new, identifier, lookups, by_url=by_url)
            for navigation in dict.fromkeys((*new.made, *new.bound)):
                if navigation not in lookups:
                    self._relate(own, navigation, new)
        except Refused:
            raise Refused(*ANYTHING) from None
        return own

    def _put(self, new: New, identifier: str, made: dict[str, Reference], *, by_url: bool) -> Reference:
        """Put a new row; `made` are the records that were made for its lookups."""
        faults = self._faults(new, None)
        if identifier in self.state.rows[new.set] and not by_url:
            faults.add(412)
        if faults:
            raise Refused(*faults)
        own = new.set, identifier
        row: dict[str, Any] = dict.fromkeys(COLUMNS[new.set])
        row.update(DEFAULTS[new.set])
        row.update(new.values)
        if new.set == "gadgets":
            row.update(dict.fromkeys((column for column, _ in LOOKUPS.values())))
        self._point(row, new.lookups)
        row.update({LOOKUPS[navigation][0]: reference for navigation, reference in made.items()})
        self.state.rows[new.set][identifier] = row
        self.state.tags[own] = None
        return own

    def _relate(self, own: Reference, navigation: str, new: New) -> None:
        """Create what belongs to a record, and relate what is there; each navigation property comes once."""
        for record in new.made.get(navigation, []):
            if navigation in COLLECTIONS[own[0]]:
                lookup = COLLECTIONS[own[0]][navigation]
                self._create(New(record.set, record.values, {**record.lookups, lookup: Target(*own)}, record.id))
            else:
                self._pair(own, self._create(record))
        for target in new.bound.get(navigation, []):
            self._link(Link(Target(*own), navigation, target, joins=True))

    def _point(self, row: dict[str, Any], lookups: dict[str, Target | None]) -> None:
        for navigation, target in lookups.items():
            row[LOOKUPS[navigation][0]] = None if target is None else self.state.find(target, self.made)

    def _update(self, own: Reference, new: New) -> None:
        faults = self._faults(new, own)
        if faults:
            raise Refused(*faults)
        row = self.state.rows[own[0]][own[1]]
        row.update(new.values)
        self._point(row, new.lookups)
        self.state.tags[own] = None

    def _delete(self, own: Reference) -> None:
        gone: list[Reference] = [own]
        for reference in gone:
            for identifier, column in self.state.pointing(reference):
                if column == RESTRICTING:
                    raise Refused(405)
                if column in CASCADING and ("gadgets", identifier) not in gone:
                    gone.append(("gadgets", identifier))
        for reference in gone:
            for identifier, column in list(self.state.pointing(reference)):
                self.state.rows["gadgets"][identifier][column] = None
                self.state.tags["gadgets", identifier] = None
        for name, identifier in gone:
            del self.state.rows[name][identifier], self.state.tags[name, identifier]
        left = {identifier for _, identifier in gone}
        self.state.pairs = {pair for pair in self.state.pairs if not left & set(pair)}

    def _link(self, link: Link) -> None:
        own = self.state.find(link.target, self.made)
        other = None if link.other is None else self.state.find(link.other, self.made)
        faults = {404} if own is None or (link.other is not None and other is None) else set()
        if own is not None and self._is_other_version(own, link.condition):
            faults.add(412)
        if own is None or faults:
            raise Refused(*faults)
        if link.navigation in LOOKUPS:
            self.state.rows[own[0]][own[1]][LOOKUPS[link.navigation][0]] = other if link.joins else None
            self.state.tags[own] = None
        elif link.navigation in COLLECTIONS[own[0]]:
            assert other is not None
            self._collect(own, COLLECTIONS[own[0]][link.navigation], other, joins=link.joins)
        else:
            assert other is not None
            self._pair(own, other, joins=link.joins)

    def _collect(self, own: Reference, lookup: str, child: Reference, *, joins: bool) -> None:
        row, column = self.state.rows[child[0]][child[1]], LOOKUPS[lookup][0]
        if not joins and row[column] != own:
            raise Refused(404)
        row[column] = own if joins else None
        self.state.tags[child] = None

    def _pair(self, one: Reference, other: Reference, *, joins: bool = True) -> None:
        pair = (one[1], other[1]) if one[0] == "gadgets" else (other[1], one[1])
        if joins is (pair in self.state.pairs):
            raise Refused(412 if joins else 404)
        if joins:
            self.state.pairs.add(pair)
        else:
            self.state.pairs.remove(pair)


def _made_before(new: New) -> list[str]:
    """Return the navigation properties whose records are made before the record, which points to them."""
    return [navigation for navigation in new.made if new.set == "gadgets" and navigation in LOOKUPS]


def _fits(set_: str, column: str, value: Any) -> bool:
    """Say whether a column takes a value."""
    match column, value:
        case _, None:
            return True
        case (("name" | "code" | "lastname"), str()):
            return len(value) <= LIMITS[column][set_]
        case "size", int():
            return 0 <= value <= 100
        case "shelf", int():
            return -(2**31) <= value < 2**31
        case "color", int():
            return value in {5, 6}
        case "isnew", bool():
            return True
        case _:
            return False
