"""Every function and action that works, with parameters in every form, and with those that do not fit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pytest
from things import dump

from entities.standard.environment import standard_catalog
from odata_server.edm.definition_values import PropertyType
from odata_server.edm.operation_list import AVAILABLE, BULK, FILES, operation_list
from odata_server.edm.operations import ANY_TABLE, Operation

CRM = "Microsoft.Dynamics.CRM"
LISTED = operation_list()
TABLES = frozenset({ANY_TABLE, *standard_catalog(1).tables})
NOWHERE = "0a000000-0000-4000-8000-0000000000ff"
LISTED_THERE = [found for name in sorted(AVAILABLE - BULK - FILES) for found in LISTED.by_name[name]]
ALL = [found for found in LISTED_THERE if found.bound is None or found.bound.name in TABLES]
ENUMS = {**LISTED.told_enums, **LISTED.enums}
FUNCTIONS = [found for found in ALL if not found.is_action and found.parameters]
ACTIONS = [found for found in ALL if found.is_action]


@pytest.fixture(scope="module")
def unchanged(environments, api) -> Callable[[], bool]:
    """Say whether the database is what it was at first."""
    api.created("accounts", name="One")
    before = dump(environments[0].database)
    return lambda: dump(environments[0].database) == before


@pytest.fixture(scope="module")
def place(api, environments) -> Callable[[Operation], str | None]:
    """Say where an operation is called: with the first record of its table, or one that is not there."""
    tables = environments[0].catalog.tables

    def path(operation: Operation) -> str | None:
        bound = operation.bound
        if bound is None:
            return f"/{operation.name}"
        table = tables.get("account" if bound.name == ANY_TABLE else bound.name)
        if table is None:
            return None
        if bound.is_collection:
            return f"/{table.entity_set_name}/{CRM}.{operation.name}"
        rows = api.json(f"/{table.entity_set_name}?$select={table.primary_id}&$top=1")["value"]
        row = rows[0][table.primary_id] if rows else NOWHERE
        return f"/{table.entity_set_name}({row})/{CRM}.{operation.name}"

    return path


FITTING: Mapping[str, str] = {
    "String": "'account'",
    "Guid": "0a000000-0000-4000-8000-0000000000ff",
    "Boolean": "true",
    "Int32": "110",
    "Int64": "1",
    "DateTimeOffset": "2024-01-15T12:00:00Z",
}
WRONG: Mapping[str, str] = {
    "String": "1",
    "Guid": "'x'",
    "Boolean": "'x'",
    "Int32": "99999999999",
    "Int64": "1.5",
    "DateTimeOffset": "'x'",
}


def fitting(type_: PropertyType) -> str:
    """Return a literal of a type as it stands in a URL."""
    if type_.name in FITTING:
        literal = FITTING[type_.name]
    elif type_.name in ENUMS:
        literal = f"{CRM}.{type_.name}'{next(iter(ENUMS[type_.name].members))}'"
    elif type_.name in LISTED.complex_types:
        literal = "{}"
    else:
        literal = "{'@odata.id':'accounts(0a000000-0000-4000-8000-0000000000ff)'}"
    return f"[{literal.replace(chr(39), chr(34))}]" if type_.is_collection else literal


def wrong(type_: PropertyType) -> str:
    if type_.is_collection:
        return "'x'"
    return WRONG.get(type_.name) or ("'Nope'" if type_.name in ENUMS else "1")


def names(found: Operation) -> str:
    return found.name


def answered(api, url: str) -> tuple[int, object]:
    answer = api("GET", url)
    return answer.status, json.loads(answer.body) if answer.body else None


@pytest.mark.parametrize("function", FUNCTIONS, ids=names)
def test_a_function_takes_its_parameters_inline_and_behind_aliases(api, place, unchanged, function):
    path = place(function)
    assert path is not None, "its table is not there"
    given = {name: fitting(type_) for name, type_ in function.parameters.items()}
    inline = answered(api, f"{path}({','.join(f'{name}={quote(value)}' for name, value in given.items())})")
    aliased = ",".join(f"{name}=@p{n}" for n, name in enumerate(given))
    values = "&".join(f"@p{n}={quote(value)}" for n, value in enumerate(given.values()))
    twice = "&".join(f"@p{n}=@q{n}&@q{n}={quote(value, safe='')}" for n, value in enumerate(given.values()))
    spaced = ", ".join(f"{name}=@p{n}" for n, name in reversed(list(enumerate(given))))
    for url in (f"{path}({aliased})?{values}", f"{path}({aliased})?{twice}", f"{path}({quote(spaced)})?{values}"):
        assert answered(api, url) == inline, url
    assert inline[0] in {200, 400, 403, 404, 405}
    assert unchanged()


MISFITS = [
    (function, misfit, name)
    for function in FUNCTIONS
    for misfit, name in (
        *itertools.product(("wrong", "wrong alias", "twice"), function.parameters),
        *itertools.product(
            ("missing", "null", "no alias"),
            (name for name, type_ in function.parameters.items() if not type_.is_nullable),
        ),
        ("unknown", "Nope"),
    )
]


@pytest.mark.parametrize("case", MISFITS, ids=lambda case: f"{case[0].name}-{case[1]}-{case[2]}")
def test_a_function_refuses_parameters_that_do_not_fit(api, place, unchanged, case):
    function, misfit, name = case
    path = place(function)
    assert path is not None, "its table is not there"
    given = {known: fitting(type_) for known, type_ in function.parameters.items()}
    written, query = [f"{known}={quote(value)}" for known, value in given.items() if known != name], ""
    match misfit:
        case "wrong":
            written.append(f"{name}={wrong(function.parameters[name])}")
        case "wrong alias":
            written.append(f"{name}=@p")
            query = f"?@p={wrong(function.parameters[name])}"
        case "twice":
            written += [f"{name}={quote(given[name])}"] * 2
        case "null":
            written.append(f"{name}=null")
        case "no alias":
            written.append(f"{name}=@p")
        case "unknown":
            written.append(f"{name}=1")
    status, _, text = api.error("GET", f"{path}({','.join(written)}){query}")
    assert status == (404 if misfit in {"missing", "unknown"} else 400), text
    assert (function.name if status == 404 else name) in text
    assert unchanged()


def taken(type_: PropertyType, sets: Mapping[str, str]) -> object:
    """Return a JSON value of a type."""
    if type_.is_collection:
        return []
    if type_.name in LISTED.enums:
        return next(iter(LISTED.enums[type_.name].members))
    if type_.name in LISTED.complex_types:
        return {}
    plain = {"String": "account", "Boolean": True, "Int32": 1, "Int64": 1, "Binary": "", "QueryBase": {}}
    if type_.name in plain:
        return plain[type_.name]
    if type_.name in {"Guid", "DateTimeOffset"}:
        return FITTING[type_.name]
    entity_set = sets.get("account" if type_.name == ANY_TABLE else type_.name)
    return {"@odata.id": f"{entity_set}(0a000000-0000-4000-8000-0000000000ff)"}


def sent(type_: PropertyType) -> object:
    """Return a JSON value that is none of a type."""
    if type_.is_collection:
        return {}
    return {"String": 1, "Boolean": "true", "Int32": "1", "Int64": "1"}.get(type_.name, 1.5)


REFUSED = [
    (action, misfit, name)
    for action in ACTIONS
    for misfit, name in (
        *(("wrong", name) for name, type_ in action.parameters.items() if type_.name != "QueryBase"),
        *(("null", name) for name, type_ in action.parameters.items() if not type_.is_nullable),
        *(("missing", name) for name, type_ in action.parameters.items() if not type_.is_nullable),
        ("unknown", "Nope"),
        ("no object", ""),
    )
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0].name}-{case[1]}-{case[2]}")
def test_an_action_refuses_a_body_that_does_not_fit(api, environments, place, unchanged, case):
    action, misfit, name = case
    path = place(action)
    assert path is not None, "its table is not there"
    sets = {known: table.entity_set_name for known, table in environments[0].catalog.tables.items()}
    body = {known: taken(type_, sets) for known, type_ in action.parameters.items() if known != name}
    match misfit:
        case "wrong":
            body[name] = sent(action.parameters[name])
        case "null":
            body[name] = None
        case "unknown":
            body[name] = 1
        case "no object":
            body = [body]
    status, code, text = api.error("POST", path, body)
    assert (status, code) == (400, "0x80048d19"), text
    assert text.startswith(f"Error identified in Payload provided by the user for Entity :'{action.name}'"), text
    assert name in text
    assert unchanged()


@pytest.mark.parametrize("operation", ALL, ids=names)
def test_an_operation_is_called_by_its_own_verb_and_where_it_is_bound(api, place, unchanged, operation):
    path = place(operation)
    assert path is not None, "its table is not there"
    assert api("GET" if operation.is_action else "POST", path, {}).status == 404
    for verb in ("PUT", "PATCH", "DELETE"):
        assert api(verb, path, {}).status in {404, 405}, verb
    if operation.bound is not None:
        assert api("POST" if operation.is_action else "GET", f"/{operation.name}", {}).status == 404
        assert api("POST" if operation.is_action else "GET", path.replace(f"{CRM}.", ""), {}).status in {400, 404}
    assert unchanged()
