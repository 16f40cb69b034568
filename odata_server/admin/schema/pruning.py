"""Definitions of another release cut down to what this one knows, so that they can be checked and read."""

from __future__ import annotations

from typing import Final

from odata_server.admin.schema.findings import Json
from odata_server.edm.definition_types import DEFINITIONS, all_navigations, all_properties
from odata_server.edm.definition_values import COMPLEX
from odata_server.edm.naming import WEB_API_NAMESPACE

TYPE: Final = "@odata.type"
_OPTION_SETS: Final = frozenset({"OptionSet", "GlobalOptionSet"})


def type_of(definition: Json, declared: str) -> str:
    """Return the entity type that a definition says to be of; types of functions' results are called Complex…."""
    stated = str(definition.get(TYPE, "")).removeprefix("#").removeprefix(f"{WEB_API_NAMESPACE}.")
    bare = stated.removeprefix("Complex")
    return next((name for name in (stated, bare) if name in DEFINITIONS), declared)


def pruned(definition: Json, declared: str) -> Json:
    """Return a definition without the members that its type does not have here, and without contained collections.

    Empty texts of complex values are left out: an external value that is none comes as one.
    """
    name = type_of(definition, declared)
    properties, navigations = all_properties(name), all_navigations(name)
    found: Json = {TYPE: f"#{WEB_API_NAMESPACE}.{name}"}
    for member, value in definition.items():
        if member in properties:
            found[member] = _value(value, properties[member].name)
        elif member in navigations and member in _OPTION_SETS and isinstance(value, dict):
            found[member] = pruned(value, navigations[member].target)
    return found


def _value(value: object, type_name: str) -> object:
    if isinstance(value, list):
        return [_value(item, type_name) for item in value]
    if type_name not in COMPLEX or not isinstance(value, dict):
        return value
    stated = str(value.get(TYPE, "")).removeprefix("#").removeprefix(f"{WEB_API_NAMESPACE}.")
    type_ = COMPLEX.get(stated, COMPLEX[type_name])
    known = {**(COMPLEX[type_.base].properties if type_.base else {}), **type_.properties}
    told = {TYPE: value[TYPE]} if stated in COMPLEX else {}
    return told | {name: _value(item, known[name].name) for name, item in value.items() if name in known and item != ""}
