"""Random writes that mostly make sense in a state: their records are often there, their keys often collide."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from write_model import COLLECTIONS, COLUMNS, IDS, LOOKUPS, PAIRED, State
from write_model_writes import Create, Delete, Link, Many, New, Patch, SetValue, Target, Write

POOL = {
    name: tuple(f"0{digit}000000-0000-4000-8000-00000000000{n}" for n in range(size))
    for name, digit, size in (("gadgets", "d", 6), ("accounts", "a", 3), ("contacts", "c", 3))
}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from((None, "a", "É'/", "x" * 20, "x" * 20, "x" * 161)),
    "lastname": st.sampled_from((None, "b", "ß%&", "x" * 50, "x" * 51)),
    "code": st.sampled_from((None, "K1", "k1", "K2", "K3")),
    "size": st.sampled_from((None, 0, 1, 1, 2, 101, "x")),
    "shelf": st.sampled_from((None, 1, 1, 2, 2**31)),
    "color": st.sampled_from((5, 6, 6, 5, 7)),
    "isnew": st.booleans(),
}
_LOOKED_UP = tuple(name for name in LOOKUPS if name != "partner_contact")


@st.composite
def _values(draw, name, *, without=()):
    columns = [column for column in COLUMNS[name] if column not in without]
    chosen = draw(st.lists(st.sampled_from(columns), unique=True, max_size=3))
    return {column: draw(_VALUES[column]) for column in chosen}


def _ids(state: State, name: str) -> st.SearchStrategy[str]:
    """Ids of records that are there, more often than others."""
    return st.sampled_from((*sorted(state.rows[name]) * 3, *POOL[name]))


@st.composite
def _targets(draw, state, name, made=()):
    own = [number for number, (set_, _) in enumerate(made, 1) if set_ == name]
    if own and draw(st.booleans()):
        return Target(name, made_by=draw(st.sampled_from(own)))
    if name == "gadgets" and draw(st.integers(0, 4)) == 0:
        keys = ((("code", "K1"),), (("code", "k2"),), (("size", 1), ("shelf", 1)), (("size", 2), ("shelf", 1)))
        return Target(name, key=draw(st.sampled_from(keys)))
    return Target(name, draw(_ids(state, name)))


@st.composite
def _lookups(draw, state, made=(), without=(), *, clears=True):
    names = [name for name in _LOOKED_UP if name not in without]
    found = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []:
        chosen = draw(st.sampled_from(("partner_account", "partner_contact"))) if name == "partner_account" else name
        clearing = clears and draw(st.integers(0, 4)) == 0
        found[chosen] = None if clearing else draw(_targets(state, LOOKUPS[chosen][1], made))
    return found


@st.composite
def _new(draw, state, name, *, depth=2, made=(), without=(), own_id=False):
    identifier = draw(st.sampled_from(POOL[name])) if own_id or draw(st.booleans()) else None
    values = draw(_values(name))
    nested: dict[str, list[New]] = {}
    bound: dict[str, list[Target]] = {}
    singles = draw(st.lists(st.sampled_from(_LOOKED_UP), max_size=1)) if name == "gadgets" and depth else []
    for navigation in singles:
        if navigation not in without:
            nested[navigation] = [draw(_new(state, LOOKUPS[navigation][1], depth=depth - 1, own_id=True))]
    if depth:
        many = {**dict.fromkeys(COLLECTIONS[name], "gadgets"), **dict([PAIRED[name]] if name in PAIRED else [])}
        for navigation in draw(st.lists(st.sampled_from(sorted(many)), unique=True, max_size=1)):
            back = (_LOOKED_UP[0],) if navigation not in COLLECTIONS[name] else ()
            hidden = (*back, _shown(COLLECTIONS[name].get(navigation, "")))
            child = _new(state, many[navigation], depth=0, without=hidden, own_id=True)
            nested[navigation] = draw(st.lists(child, max_size=2))
            bound[navigation] = draw(st.lists(_targets(state, many[navigation], made), max_size=1))
    taken = (*without, *singles)
    lookups = draw(_lookups(state, made, taken, clears=False)) if name == "gadgets" else {}
    return New(name, values, lookups, identifier, nested, {key: value for key, value in bound.items() if value})


def _shown(lookup: str) -> str:
    return "partner_account" if lookup == "partner_contact" else lookup


def _conditions(state: State, target: Target, *more: str) -> st.SearchStrategy[str]:
    known = state.find(target, {}) if target.made_by is None else None
    tag = state.tags.get(known) if known else None
    return st.sampled_from(("", "", *more, 'W/"1"', '!W/"1"', *((tag, tag, f"!{tag}") if tag else ())))


@st.composite
def creates(draw, state, made=()):
    name = draw(st.sampled_from(tuple(COLUMNS)))
    return Create(draw(_new(state, name, made=made)))


@st.composite
def patches(draw, state, made=()):
    name = draw(st.sampled_from(("gadgets", "gadgets", "accounts", "contacts")))
    target = draw(_targets(state, name, made))
    values = draw(_values(name, without=dict(target.key)))
    lookups = draw(_lookups(state, made)) if name == "gadgets" else {}
    return Patch(target, New(name, values, lookups), draw(_conditions(state, target, "", "*", "new")))


@st.composite
def property_writes(draw, state, made=()):
    name = draw(st.sampled_from(("gadgets", "gadgets", "accounts", "contacts")))
    target = draw(_targets(state, name, made))
    column = draw(st.sampled_from(COLUMNS[name]))
    return SetValue(target, column, draw(_VALUES[column]), draw(_conditions(state, target, "*")))


@st.composite
def deletes(draw, state, made=()):
    target = draw(_targets(state, draw(st.sampled_from(tuple(IDS))), made))
    return Delete(target, draw(_conditions(state, target, "*")))


@st.composite
def links(draw, state, made=()):
    name = draw(st.sampled_from(("gadgets", "gadgets", "accounts", "contacts")))
    leads = dict.fromkeys(COLLECTIONS[name], "gadgets") | dict([PAIRED[name]] if name in PAIRED else [])
    if name == "gadgets":
        leads |= {navigation: set_ for navigation, (_, set_) in LOOKUPS.items() if not navigation.startswith("partner")}
    navigation, joins = draw(st.sampled_from(sorted(leads))), draw(st.booleans())
    other = draw(_targets(state, leads[navigation], made))
    is_lookup = name == "gadgets" and navigation in LOOKUPS
    target = draw(_targets(state, name, made))
    condition = draw(_conditions(state, target, "*", "", ""))
    return Link(target, navigation, other if joins or not is_lookup else None, joins, condition)


@st.composite
def bulk(draw, state, made=()):
    kind = draw(st.sampled_from(("CreateMultiple", "UpdateMultiple", "UpsertMultiple")))
    name = draw(st.sampled_from(("gadgets", "gadgets", "accounts")))
    records = []
    for _ in range(draw(st.integers(1, 4))):
        if kind == "CreateMultiple":
            records.append(draw(_new(state, name, depth=1)))
            continue
        lookups = draw(_lookups(state)) if name == "gadgets" else {}
        records.append(New(name, draw(_values(name)), lookups, draw(_ids(state, name))))
    return Many(kind, name, tuple(records))


def writes(state: State, made=()) -> st.SearchStrategy[Write]:
    """Any write; `made` are the sets of what earlier requests of the change set make."""
    kinds = (creates, creates, patches, patches, property_writes, deletes, links, links)
    return st.one_of(*(kind(state, made) for kind in kinds))


@st.composite
def change_sets(draw, state):
    """Several writes that succeed or fail together, and name what those before them make."""
    made, found = [], []
    for _ in range(draw(st.integers(1, 5))):
        write = draw(writes(state, tuple(made)))
        found.append(write)
        made.append((write.new.set, "") if isinstance(write, Create) else ("", ""))
    return found
