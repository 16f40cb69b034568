"""Query options over definitions: `$select`, `$filter`, `$expand` and `$count`; there is no paging and no order.

`LabelLanguages=1033` limits labels to a language (Learn: "Query table definitions using the Web API").

Learn, "Query table definitions using the Web API": MetadataId always comes; items of a collection of several types say
theirs in `@odata.type`; a selection counts for the declared type, so properties of derived types take a cast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest, UnknownName
from odata_server.edm.definition_types import all_navigations, all_properties, alternate_key, is_derived
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.endpoints.definition_paths import Place
from odata_server.render.definition_filters import Filtered, Predicate, compile_filter, fixed_name
from odata_server.render.definition_labels import Json, in_languages
from odata_server.render.definitions import Definition, Definitions, Shelf
from odata_server.syntax.request_trees import ExpandItem, ExpandTarget, QueryOptions
from odata_server.syntax.trees import Expression

_UNDERSTOOD: Final = frozenset({"$select", "$filter", "$expand", "$count"})
_NO_OPTIONS: Final = QueryOptions()
_LABEL_LANGUAGES: Final = "LabelLanguages"
_LCID: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Query options, checked against the declared type of the definitions they are for.

    `names` are the properties that items show, None for all; `name` is the one that the filter fixes, if it does;
    `listed` is the selection as context URLs write it.
    """

    type_name: str
    names: frozenset[str] | None
    keeps: Predicate | None
    name: str | None
    is_counted: bool
    expansions: tuple[_Expansion, ...]
    listed: str


@dataclass(frozen=True, slots=True)
class _Expansion:
    """One `$expand` item: the type that declares the navigation property, and what is asked behind it."""

    navigation: str
    declared: str
    is_cast: bool
    is_collection: bool
    plan: _Plan


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is the same for a whole answer."""

    definitions: Definitions
    root: str
    languages: frozenset[int] | None


def answer(place: Place, options: QueryOptions, definitions: Definitions, root: str) -> object:
    """Return what stands at a place as JSON-ready values; None where there is nothing (204).

    Args:
        place: where the path leads.
        options: the parsed query string.
        definitions: the definitions of the snapshot.
        root: the absolute URL of the service.

    Raises:
        UnknownName: a name stands for no property.
        MalformedRequest: an option that definitions do not take, or take only in another place.
        NotSupported: a filter that definitions do not know.
    """
    for name in options.names:
        if name not in _UNDERSTOOD:
            raise MalformedRequest(f"The query parameter {name} is not supported")
    languages = _languages(options)
    if place.member:
        return _member(place, root, languages)
    plan = _planned(options, place.type_name, {alias.name: alias.value for alias in options.aliases})
    made = _Answer(definitions, root, languages)
    if isinstance(place.found, Shelf):
        return _collection(place, place.found, plan, made)
    if options.filter is not None or options.count:
        raise MalformedRequest("Only $select and $expand can be used on a single definition.")
    if place.found is None:
        return None
    context = f"{root}/$metadata#{_collection_path(place)}{plan.listed}/$entity"
    return {"@odata.context": context, **_item(place.found, plan, _own_path(place), made)}


def _languages(options: QueryOptions) -> frozenset[int] | None:
    """Return the languages whose labels are wanted, None for all.

    Raises:
        MalformedRequest: what is given is no LCID.
    """
    given = [option.value or "" for option in options.custom if option.name == _LABEL_LANGUAGES]
    texts = [text.strip() for value in given for text in value.split(",")]
    if not all(map(_LCID.fullmatch, texts)):
        raise MalformedRequest(f"The value '{','.join(texts)[:100]}' of '{_LABEL_LANGUAGES}' is no language code.")
    return frozenset(map(int, texts)) if given else None


def _planned(options: QueryOptions, type_name: str, aliases: Mapping[str, Expression]) -> _Plan:
    scope = Filtered(type_name, aliases)
    expansions = tuple(_expansion(item, type_name, aliases) for item in options.expand or ())
    return _Plan(
        type_name,
        _selected(options, type_name),
        compile_filter(options.filter, scope) if options.filter is not None else None,
        fixed_name(options.filter, scope, alternate_key(type_name)),
        bool(options.count),
        expansions,
        _listed(options, expansions),
    )


def _selected(options: QueryOptions, type_name: str) -> frozenset[str] | None:
    """Return the properties that items show, None for all.

    Raises:
        UnknownName: a name stands for no property of the declared type.
    """
    properties, navigations = all_properties(type_name), all_navigations(type_name)
    if options.select is None or any(item.path == ("*",) for item in options.select):
        return None
    for item in options.select:
        if len(item.path) > 1 or (item.path[0] not in properties and item.path[0] not in navigations):
            raise _unknown("/".join(item.path), type_name)
    return frozenset({"MetadataId", *(item.path[0] for item in options.select)})


def _expansion(item: ExpandItem, type_name: str, aliases: Mapping[str, Expression]) -> _Expansion:
    *casts, name = item.path
    declared = type_name
    for cast in casts:
        declared = _cast_type(cast, declared)
    navigation = all_navigations(declared).get(name)
    if navigation is None:
        raise _unknown(name, declared)
    nested = item.options or _NO_OPTIONS
    if item.target is not ExpandTarget.ROWS or not set(nested.names) <= _UNDERSTOOD:
        raise MalformedRequest("Only $select, $filter, $count and $expand can be used while expanding definitions.")
    plan = _planned(nested, navigation.target, aliases)
    return _Expansion(name, declared, bool(casts), navigation.is_collection, plan)


def _cast_type(cast: str, declared: str) -> str:
    type_name = cast.removeprefix(f"{WEB_API_NAMESPACE}.")
    if type_name == cast or not is_derived(type_name, declared):
        raise _unknown(cast, declared)
    return type_name


def _listed(options: QueryOptions, expansions: tuple[_Expansion, ...]) -> str:
    """Return the selected and expanded names as contexts list them (OData 4.01 Part 1 §10.7, §10.9)."""
    names = [item.path[0] for item in options.select or ()]
    names.extend(f"{expansion.navigation}{expansion.plan.listed or '()'}" for expansion in expansions)
    return f"({','.join(names)})" if names else ""


def _unknown(name: str, type_name: str) -> UnknownName:
    return UnknownName(f"Could not find a property named '{name}' on type '{WEB_API_NAMESPACE}.{type_name}'.")


def _member(place: Place, root: str, languages: frozenset[int] | None) -> object:
    """Return one property of a definition; None where it is null."""
    assert isinstance(place.found, Definition)
    value = in_languages(place.found.values.get(place.member), languages)
    if value is None or place.is_raw:
        return value
    return {"@odata.context": f"{root}/$metadata#{place.context}", "value": value}


def _collection(place: Place, shelf: Shelf, plan: _Plan, made: _Answer) -> object:
    found = _kept(shelf, plan)
    if place.is_raw:
        return len(found)
    cast = f"/{place.cast}" if place.cast else ""
    body: dict[str, object] = {"@odata.context": f"{made.root}/$metadata#{place.context}{cast}{plan.listed}"}
    if plan.is_counted:
        body["@odata.count"] = len(found)
    body["value"] = [_item(item, plan, f"{place.context}({item.id}){cast}", made) for item in found]
    return body


def _kept(shelf: Shelf, plan: _Plan) -> tuple[Definition, ...]:
    """Return the definitions that a filter keeps; one that fixes the name looks at no other."""
    if plan.keeps is None:
        return shelf.items
    candidates = shelf.items
    if plan.name is not None:
        candidates = tuple(item for item in (shelf.by_name.get(plan.name),) if item is not None)
    return tuple(item for item in candidates if plan.keeps(item.values))


def _item(definition: Definition, plan: _Plan, path: str, made: _Answer) -> Json:
    """Return one definition as JSON-ready values.

    Args:
        definition: the definition.
        plan: what to show of it.
        path: its path, by which the contexts of what it contains begin.
        made: definitions and root.
    """
    item: dict[str, object] = {}
    if definition.type_name != plan.type_name:
        item["@odata.type"] = f"#{WEB_API_NAMESPACE}.{definition.type_name}"
    names = plan.names
    values = definition.values if names is None else {n: v for n, v in definition.values.items() if n in names}
    item.update((name, in_languages(value, made.languages)) for name, value in values.items())
    for expansion in plan.expansions:
        # A cast in `$expand` asks only of definitions that are of its type.
        if is_derived(definition.type_name, expansion.declared):
            cast = f"/{WEB_API_NAMESPACE}.{expansion.declared}" if expansion.is_cast else ""
            item.update(_expanded(definition, expansion, f"{path}{cast}/{expansion.navigation}", made))
    return item


def _expanded(definition: Definition, expansion: _Expansion, path: str, made: _Answer) -> Json:
    name, plan = expansion.navigation, expansion.plan
    found = made.definitions.related(definition, name)
    context = f"{made.root}/$metadata#{path}{plan.listed}"
    if isinstance(found, Shelf):
        items = _kept(found, plan)
        counted = {f"{name}@odata.count": len(items)} if plan.is_counted else {}
        nested = [_item(item, plan, f"{path}({item.id})", made) for item in items]
        return {f"{name}@odata.context": context, **counted, name: nested}
    if found is None:
        return {name: None}
    return {f"{name}@odata.context": f"{context}/$entity", name: _item(found, plan, path, made)}


def _collection_path(place: Place) -> str:
    """Return the path of the collection that a single definition is taken from, with the cast."""
    head, slash, last = place.context.rpartition("/")
    cast = f"/{place.cast}" if place.cast else ""
    return f"{head}{slash}{last.partition('(')[0]}{cast}"


def _own_path(place: Place) -> str:
    return f"{place.context}/{place.cast}" if place.cast else place.context
