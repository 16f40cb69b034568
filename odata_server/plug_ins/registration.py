"""The installed packages as rows: packages, assemblies, types and custom APIs, brought up to date at every start.

What a package registers is marked as managed; rows that are marked and that no package has any more go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from entities.errors import DataverseError
from entities.messages import Create, Delete, Message, RetrieveMultiple, Rows, Update
from entities.metadata.custom_apis import CustomApiParameter
from entities.metadata.declare import derived_id
from entities.plugins import PluginApi, type_name
from entities.query import QueryExpression, equals
from entities.standard.custom_apis import API, PARAMETER, PROPERTY
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.organization import OrganizationService
from odata_server.plug_ins.loading import Package, PackageError

_TABLES: Final = ("pluginpackage", "pluginassembly", "plugintype", API, PARAMETER, PROPERTY)
"""In the order in which rows can be made."""

_SANDBOX: Final = 2
_FILE_STORE: Final = 4


def register(service: OrganizationService, packages: Iterable[Package]) -> int:
    """Make the rows say what is installed; return how many were made, changed or deleted.

    Args:
        service: the environment.
        packages: what is installed.

    Raises:
        PackageError: a row of somebody else is in the way, such as a custom API of the same name.
    """
    organization = EntityReference("organization", service.organization_id)
    wanted = {(table, row[f"{table}id"]): row for package in packages for table, row in _rows(package, organization)}
    messages = list(_changes(service, wanted))
    try:
        service.execute_transaction(messages, service.system)
    except DataverseError as refusal:
        raise PackageError(f"The installed plug-in packages cannot be registered: {refusal.message}") from refusal
    return len(messages)


def _changes(service: OrganizationService, wanted: dict[tuple[str, Value], Record]) -> Iterator[Message]:
    stored = {(table, row[f"{table}id"]): row for table in _TABLES for row in _managed(service, table)}
    for table, row_id in sorted(stored.keys() - wanted.keys(), key=lambda place: -_TABLES.index(place[0])):
        yield Delete(EntityReference(table, Guid(str(row_id))))
    for (table, row_id), row in wanted.items():
        known = stored.get((table, row_id))
        if known is None:
            yield Create(table, row)
        elif changed := {name: value for name, value in row.items() if known.get(name) != value}:
            yield Update(EntityReference(table, Guid(str(row_id))), changed)


def _managed(service: OrganizationService, table: str) -> Iterable[Record]:
    managed: Value = True
    found = service.execute(
        RetrieveMultiple(QueryExpression(table, filter=equals("ismanaged", managed))), service.system
    )
    assert isinstance(found, Rows)
    return found.records


def _rows(package: Package, organization: EntityReference) -> Iterator[tuple[str, Record]]:
    """Yield the rows of a package, wholes before their parts; their ids follow from names."""
    major, minor = _numbers(package.version)
    common: Record = {"ismanaged": True, "version": package.version[:48], "organizationid": organization}
    assembly: Record = {**common, "culture": "neutral", "major": major, "minor": minor}
    package_id = derived_id("pluginpackage", package.name)
    assembly_id = derived_id("pluginassembly", package.name)
    name = package.name[:100]
    yield "pluginpackage", {"pluginpackageid": package_id, "name": name, "uniquename": package.name[:128], **common}
    yield (
        "pluginassembly",
        {
            "pluginassemblyid": assembly_id,
            "name": name,
            "packageid": EntityReference("pluginpackage", package_id),
            "isolationmode": _SANDBOX,
            "sourcetype": _FILE_STORE,
            **assembly,
        },
    )
    for type_, function in package.plugin.functions().items():
        yield (
            "plugintype",
            {
                "plugintypeid": type_id(type_),
                "name": type_[-256:],
                "typename": type_[-256:],
                "friendlyname": function.__name__[:256],
                "assemblyname": name,
                "pluginassemblyid": EntityReference("pluginassembly", assembly_id),
                **assembly,
            },
        )
    for api in package.plugin.custom_apis:
        yield from _api_rows(api)


def type_id(name: str) -> Guid:
    """Return the id of a plug-in type's row, which follows from its name."""
    return derived_id("plugintype", name)


def _numbers(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version."""
    numbers = [int(part) if part.isascii() and part.isdecimal() else 0 for part in f"{version}.0.0".split(".")[:2]]
    return numbers[0] % 2**31, numbers[1] % 2**31


def _api_rows(declared: PluginApi) -> Iterator[tuple[str, Record]]:
    api_id = derived_id(API, declared.name)
    type_ = None if declared.function is None else EntityReference("plugintype", type_id(type_name(declared.function)))
    yield (
        API,
        {
            "customapiid": api_id,
            **_texts(declared.name, declared.display_name, declared.description),
            "bindingtype": declared.binding.value,
            "boundentitylogicalname": declared.table,
            "isfunction": declared.is_function,
            "isprivate": declared.is_private,
            "executeprivilegename": declared.execute_privilege or None,
            "allowedcustomprocessingsteptype": declared.allowed_steps.value,
            "plugintypeid": type_,
        },
    )
    for part in declared.parameters:
        yield PARAMETER, {**_part(PARAMETER, declared.name, part), "isoptional": part.is_optional}
    for part in declared.properties:
        yield PROPERTY, _part(PROPERTY, declared.name, part)


def _part(table: str, api: str, part: CustomApiParameter) -> dict[str, Value]:
    return {
        f"{table}id": derived_id(table, api, part.name),
        **_texts(part.name, part.name, ""),
        "customapiid": EntityReference(API, derived_id(API, api)),
        "type": part.type.value,
        "logicalentityname": part.table,
    }


def _texts(name: str, display_name: str, description: str) -> dict[str, Value]:
    return {
        "uniquename": name,
        "name": name[:100],
        "displayname": (display_name or name)[:100],
        "description": description[:300] or None,
        "ismanaged": True,
    }
