"""Every function and action of the Web API, and which of them work here.

`operations.txt` beside this module is the one table of them: the binder, `$metadata` and the answers 501 follow from
it. What is in `AVAILABLE` has a handler in the event pipeline, or its own place in the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from entities.errors import EngineFault
from odata_server.edm.definition_values import COMPLEX, ENUMS, ComplexType, EnumType, PropertyType, read_properties
from odata_server.edm.operations import Operation

BULK: Final = frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple"})
"""Actions that are messages of their own, on several records of one table."""

FILES: Final = frozenset(
    {
        "CommitFileBlocksUpload",
        "DeleteFile",
        "DownloadBlock",
        "InitializeFileBlocksDownload",
        "InitializeFileBlocksUpload",
        "UploadBlock",
    }
)
"""Actions that the engine has itself: bytes of files lie beside the rows, and not in them."""

AVAILABLE: Final = frozenset(
    {
        *BULK,
        *FILES,
        "AddMembersTeam",
        "AddPrivilegesRole",
        "AutoMapEntity",
        "BulkDelete",
        "BulkDetectDuplicates",
        "CalculateRollupField",
        "CanBeReferenced",
        "CanBeReferencing",
        "CanManyToMany",
        "CompoundUpdateDuplicateDetectionRule",
        "ConvertOwnerTeamToAccessTeam",
        "FormatAddress",
        "GetAutoNumberSeed",
        "GetNextAutoNumberValue",
        "GetAllTimeZonesWithDisplayName",
        "GetTimeZoneCodeByLocalizedName",
        "GetValidManyToMany",
        "GetValidReferencedEntities",
        "GetValidReferencingEntities",
        "GrantAccess",
        "InitializeFrom",
        "IsValidStateTransition",
        "LocalTimeFromUtcTime",
        "Merge",
        "ModifyAccess",
        "PublishDuplicateRule",
        "QueryExpressionToFetchXml",
        "ReassignObjectsOwner",
        "ReassignObjectsSystemUser",
        "RemoveMembersTeam",
        "RemoveParent",
        "RemovePrivilegeRole",
        "ReplacePrivilegesRole",
        "RetrieveAllChildUsersSystemUser",
        "RetrieveAvailableLanguages",
        "RetrieveBusinessHierarchyBusinessUnit",
        "RetrieveCurrentOrganization",
        "RetrieveDeprovisionedLanguages",
        "RetrieveDuplicates",
        "RetrieveExchangeRate",
        "RetrieveInstalledLanguagePackVersion",
        "RetrieveInstalledLanguagePacks",
        "RetrievePrincipalAccess",
        "RetrievePrincipalAccessInfo",
        "RetrievePrivilegeSet",
        "RetrieveProvisionedLanguagePackVersion",
        "RetrieveProvisionedLanguages",
        "RetrieveRolePrivilegesRole",
        "RetrieveSharedPrincipalsAndAccess",
        "RetrieveTeamPrivileges",
        "RetrieveTimestamp",
        "RetrieveTotalRecordCount",
        "RetrieveUserPrivilegeByPrivilegeId",
        "RetrieveUserPrivilegeByPrivilegeName",
        "RetrieveUserPrivileges",
        "RetrieveUsersPrivilegesThroughTeams",
        "RetrieveVersion",
        "RevokeAccess",
        "SetAutoNumberSeed",
        "SetBusinessSystemUser",
        "SetParentSystemUser",
        "UnpublishDuplicateRule",
        "UtcTimeFromLocalTime",
        "WhoAmI",
    }
)
"""What works here; the others are refused by name."""

_PRIVATE: Final = frozenset({"DeleteMultiple"})
"""What `$metadata` does not tell (Learn: "Use bulk operation messages", DeleteMultiple is a private action)."""

_LINE: Final = re.compile(
    r"(?P<kind>[a-z]+) (?P<name>\w+)(?: on (?P<on>\S+?))?\((?P<inner>.*)\)(?: (?P<result>\S+))?\Z"
)
_PRIMITIVE: Final = frozenset(
    {"Binary", "Boolean", "Date", "DateTimeOffset", "Decimal", "Double", "Guid", "Int16", "Int32", "Int64", "String"}
)


@dataclass(frozen=True, slots=True)
class OperationList:
    """Operations by name (one per table they are bound to), and the types that their parameters and results have."""

    by_name: Mapping[str, tuple[Operation, ...]]
    complex_types: Mapping[str, ComplexType]
    enums: Mapping[str, EnumType]

    @property
    def unbound(self) -> frozenset[str]:
        """The names of those that stand alone in a URL."""
        return frozenset(name for name, found in self.by_name.items() if any(one.bound is None for one in found))

    def types_of(self, operations: tuple[Operation, ...]) -> tuple[tuple[ComplexType, ...], tuple[EnumType, ...]]:
        """Return the types that some operations need and that definitions do not have, in the order of their names."""
        needed: set[str] = set()
        waiting = [type_.name for operation in operations for type_ in _types(operation)]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                found = self.complex_types.get(name)
                waiting.extend(type_.name for type_ in found.properties.values()) if found else None
        own = sorted(needed - COMPLEX.keys() - ENUMS.keys())
        complex_types = tuple(self.complex_types[name] for name in own if name in self.complex_types)
        return complex_types, tuple(self.enums[name] for name in own if name in self.enums)


def _types(operation: Operation) -> Iterator[PropertyType]:
    yield from operation.parameters.values()
    if operation.result is not None:
        yield operation.result


@cache
def operation_list() -> OperationList:
    """Return the table of operations, read once."""
    text = files("odata_server.edm").joinpath("operations.txt").read_text("utf-8")
    found = [_parsed(line) for line in text.splitlines() if line and not line.startswith("#")]
    complex_types = {m["name"]: ComplexType(m["name"], read_properties(m["inner"])) for m in found if _is(m, "complex")}
    enums = {m["name"]: _enum(m) for m in found if _is(m, "enum", "flags")}
    by_name: dict[str, tuple[Operation, ...]] = {}
    for match in found:
        if _is(match, "function", "action"):
            operation = _operation(match, {*COMPLEX, *complex_types}, {*ENUMS, *enums})
            by_name[operation.name] = (*by_name.get(operation.name, ()), operation)
    return OperationList(by_name, {**COMPLEX, **complex_types}, {**ENUMS, **enums})


@cache
def available_operations() -> tuple[Operation, ...]:
    """Return the operations that work here and that `$metadata` tells, in the order of their names."""
    listed = operation_list().by_name
    return tuple(operation for name in sorted(AVAILABLE - _PRIVATE) for operation in listed[name])


def _parsed(line: str) -> re.Match[str]:
    found = _LINE.match(line)
    if found is None:
        raise EngineFault(f"operations.txt has a line of another form: {line}")
    return found


def _is(match: re.Match[str], *kinds: str) -> bool:
    return match["kind"] in kinds


def _enum(match: re.Match[str]) -> EnumType:
    members = (word.partition("=") for word in match["inner"].split())
    return EnumType(match["name"], {name: int(value) for name, _, value in members}, match["kind"] == "flags")


def _operation(match: re.Match[str], complex_types: set[str], enums: set[str]) -> Operation:
    parameters = read_properties(match["inner"])
    bound = _type(match["on"])
    result = _type(match["result"])
    used = {type_.name for type_ in (*parameters.values(), *filter(None, (bound, result)))}
    tables = frozenset(used - _PRIMITIVE - complex_types - enums)
    return Operation(match["name"], match["kind"] == "action", bound, parameters, result, tables)


def _type(text: str | None) -> PropertyType | None:
    return read_properties(f"type:{text}")["type"] if text else None
