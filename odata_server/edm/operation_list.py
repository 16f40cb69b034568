"""Every function and action of the Web API, and which of them work here.

`operations.txt` beside this module is the one table of them: the binder, `$metadata` and the answers 501 follow from
it; `operation_types.txt` has the types that only `$metadata` tells. What is in `AVAILABLE` has a handler in the event
pipeline, or its own place in the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
        "AddListMembersList",
        "AddMemberList",
        "AddMembersTeam",
        "AddPrivilegesRole",
        "AddSolutionComponent",
        "AutoMapEntity",
        "BulkDelete",
        "BulkDetectDuplicates",
        "CalculatePrice",
        "CalculateRollupField",
        "CanBeReferenced",
        "CanBeReferencing",
        "CancelSalesOrder",
        "CanManyToMany",
        "CloseIncident",
        "CloseQuote",
        "CompoundUpdateDuplicateDetectionRule",
        "ConvertOwnerTeamToAccessTeam",
        "ConvertQuoteToSalesOrder",
        "ConvertSalesOrderToInvoice",
        "CreateCustomerRelationships",
        "CreateEntities",
        "CreatePolymorphicLookupAttribute",
        "DeleteOptionValue",
        "ExportSolution",
        "FormatAddress",
        "FulfillSalesOrder",
        "GenerateInvoiceFromOpportunity",
        "GenerateQuoteFromOpportunity",
        "GenerateSalesOrderFromOpportunity",
        "GetAutoNumberSeed",
        "GetNextAutoNumberValue",
        "GetAllTimeZonesWithDisplayName",
        "GetTimeZoneCodeByLocalizedName",
        "GetValidManyToMany",
        "GetValidReferencedEntities",
        "GetValidReferencingEntities",
        "GrantAccess",
        "ImportSolution",
        "InitializeFrom",
        "InsertOptionValue",
        "InsertStatusValue",
        "IsComponentCustomizable",
        "IsValidStateTransition",
        "LocalTimeFromUtcTime",
        "LockInvoicePricing",
        "LockSalesOrderPricing",
        "LoseOpportunity",
        "Merge",
        "ModifyAccess",
        "OrderOption",
        "PublishAllXml",
        "PublishDuplicateRule",
        "PublishXml",
        "QualifyLead",
        "QueryExpressionToFetchXml",
        "ReactivateEntityKey",
        "ReassignObjectsOwner",
        "ReassignObjectsSystemUser",
        "RemoveMemberList",
        "RemoveMembersTeam",
        "RemoveParent",
        "RemovePrivilegeRole",
        "RemoveSolutionComponent",
        "ReplacePrivilegesRole",
        "RetrieveAllChildUsersSystemUser",
        "RetrieveAllEntities",
        "RetrieveAvailableLanguages",
        "RetrieveBusinessHierarchyBusinessUnit",
        "RetrieveCurrentOrganization",
        "RetrieveDependenciesForDelete",
        "RetrieveDependenciesForUninstall",
        "RetrieveDependentComponents",
        "RetrieveDeprovisionedLanguages",
        "RetrieveDuplicates",
        "RetrieveEntity",
        "RetrieveExchangeRate",
        "RetrieveInstalledLanguagePackVersion",
        "RetrieveLocLabels",
        "RetrieveInstalledLanguagePacks",
        "RetrieveMetadataChanges",
        "RetrieveMissingDependencies",
        "RetrievePrincipalAccess",
        "RetrievePrincipalAccessInfo",
        "RetrievePrivilegeSet",
        "RetrieveProvisionedLanguagePackVersion",
        "RetrieveProvisionedLanguages",
        "RetrieveRequiredComponents",
        "RetrieveRolePrivilegesRole",
        "RetrieveSharedPrincipalsAndAccess",
        "RetrieveTeamPrivileges",
        "RetrieveTimestamp",
        "RetrieveTotalRecordCount",
        "RetrieveUnpublished",
        "RetrieveUnpublishedMultiple",
        "RetrieveUserPrivilegeByPrivilegeId",
        "RetrieveUserPrivilegeByPrivilegeName",
        "RetrieveUserPrivileges",
        "RetrieveUsersPrivilegesThroughTeams",
        "RetrieveVersion",
        "ReviseQuote",
        "RevokeAccess",
        "SetAutoNumberSeed",
        "SetBusinessSystemUser",
        "SetLocLabels",
        "SetParentSystemUser",
        "UnlockInvoicePricing",
        "UnlockSalesOrderPricing",
        "UnpublishDuplicateRule",
        "UpdateOptionValue",
        "UpdateSolutionComponent",
        "UpdateStateValue",
        "UtcTimeFromLocalTime",
        "WhoAmI",
        "WinOpportunity",
        "WinQuote",
    }
)
"""What works here; the others are refused by name."""

_PRIVATE: Final = frozenset({"CreateEntities", "CreatePolymorphicLookupAttribute", "DeleteMultiple"})
"""What `$metadata` does not tell (Learn: "Use bulk operation messages", "Use multi-table lookup columns")."""

_LINE: Final = re.compile(
    r"(?P<kind>[a-z]+) (?P<name>\w+)(?: (?:on|of) (?P<on>\S+?))?\((?P<inner>.*)\)(?: (?P<result>\S+))?\Z"
)
_PRIMITIVE: Final = frozenset(
    {"Binary", "Boolean", "Date", "DateTimeOffset", "Decimal", "Double", "Guid", "Int16", "Int32", "Int64", "String"}
)


@dataclass(frozen=True, slots=True)
class OperationList:
    """Operations by name (one per table they are bound to), and the types that their parameters and results have.

    `told_types` and `told_enums` are those of `$metadata`: what the binder reads, and what it hands on as it comes.
    """

    by_name: Mapping[str, tuple[Operation, ...]]
    complex_types: Mapping[str, ComplexType]
    enums: Mapping[str, EnumType]
    told_types: Mapping[str, ComplexType]
    told_enums: Mapping[str, EnumType]

    @property
    def unbound(self) -> frozenset[str]:
        """The names of those that stand alone in a URL."""
        return frozenset(name for name, found in self.by_name.items() if any(one.bound is None for one in found))


@cache
def operation_list() -> OperationList:
    """Return the table of operations, read once."""
    found, told = _lines("operations.txt"), _lines("operation_types.txt")
    complex_types, enums = {**COMPLEX, **_complex_types(found)}, {**ENUMS, **_enums(found)}
    told_types, told_enums = {**complex_types, **_complex_types(told)}, {**enums, **_enums(told)}
    tables = _tables(told_types, told_enums)
    by_name: dict[str, tuple[Operation, ...]] = {}
    for match in found:
        if _is(match, "function", "composable", "action"):
            operation = _operation(match, tables)
            by_name[operation.name] = (*by_name.get(operation.name, ()), operation)
    return OperationList(by_name, complex_types, enums, told_types, told_enums)


@cache
def available_operations() -> tuple[Operation, ...]:
    """Return the operations that work here and that `$metadata` tells, in the order of their names."""
    return tuple(operation for operation in documented_operations() if operation.name in AVAILABLE)


@cache
def documented_operations() -> tuple[Operation, ...]:
    """Return all operations that `$metadata` tells, in the order of their names: those that are answered 501, too.

    What is made from the document (classes, connectors) is then the same as for Dataverse.
    """
    listed = operation_list().by_name
    return tuple(operation for name in sorted(listed.keys() - _PRIVATE, key=str.lower) for operation in listed[name])


@cache
def told_types() -> tuple[tuple[ComplexType, frozenset[str]], ...]:
    """Return the complex types of operations that definitions do not have, each with the tables that it needs."""
    listed = operation_list()
    tables = _tables(listed.told_types, listed.told_enums)
    own = sorted(listed.told_types.keys() - COMPLEX.keys(), key=str.lower)
    return tuple((listed.told_types[name], tables(PropertyType(name))) for name in own)


@cache
def told_enums() -> tuple[EnumType, ...]:
    """Return the enumerations of operations that definitions do not have."""
    listed = operation_list().told_enums
    return tuple(listed[name] for name in sorted(listed.keys() - ENUMS.keys(), key=str.lower))


def _lines(name: str) -> list[re.Match[str]]:
    text = files("odata_server.edm").joinpath(name).read_text("utf-8")
    return [_parsed(line) for line in text.splitlines() if line and not line.startswith("#")]


def _complex_types(found: list[re.Match[str]]) -> Mapping[str, ComplexType]:
    return {
        m["name"]: ComplexType(m["name"], read_properties(m["inner"]), m["on"] or "")
        for m in found
        if _is(m, "complex")
    }


def _enums(found: list[re.Match[str]]) -> Mapping[str, EnumType]:
    return {m["name"]: _enum(m) for m in found if _is(m, "enum", "flags")}


def _tables(
    complex_types: Mapping[str, ComplexType], enums: Mapping[str, EnumType]
) -> Callable[[PropertyType], frozenset[str]]:
    """Return what says which tables a type is, or has inside."""

    def tables(type_: PropertyType) -> frozenset[str]:
        seen: set[str] = set()
        waiting = [type_.name]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                found = complex_types.get(name)
                if found is not None:
                    waiting.extend((found.base or name, *(part.name for part in found.properties.values())))
        return frozenset(seen - _PRIMITIVE - enums.keys() - complex_types.keys())

    return tables


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


def _operation(match: re.Match[str], tables: Callable[[PropertyType], frozenset[str]]) -> Operation:
    parameters = read_properties(match["inner"])
    bound = _type(match["on"])
    result = _type(match["result"])
    used = (tables(type_) for type_ in (*parameters.values(), *filter(None, (bound, result))))
    return Operation(
        match["name"],
        match["kind"] == "action",
        bound,
        parameters,
        result,
        frozenset().union(*used),
        is_composable=match["kind"] == "composable",
    )


def _type(text: str | None) -> PropertyType | None:
    return read_properties(f"type:{text}")["type"] if text else None
