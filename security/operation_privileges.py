"""What functions and actions ask of their caller."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from security.privileges import AccessRight

_OPEN: tuple[str, ...] = ()
_APPEND_TEAM = ("team", AccessRight.APPEND)
_READ_ROLE = ("role", AccessRight.READ)
_WRITE_ROLE = ("role", AccessRight.WRITE)

EXECUTE_ON_TABLES: Mapping[str, tuple[tuple[str, AccessRight], ...]] = MappingProxyType(
    {
        "AddPrivilegesRole": (_WRITE_ROLE,),
        "RemovePrivilegeRole": (_WRITE_ROLE,),
        "ReplacePrivilegesRole": (_WRITE_ROLE,),
        "RetrieveRolePrivilegesRole": (_READ_ROLE,),
        **dict.fromkeys(
            (
                "RetrieveAllChildUsersSystemUser",
                "RetrieveUserPrivilegeByPrivilegeId",
                "RetrieveUserPrivilegeByPrivilegeName",
                "RetrieveUserPrivileges",
                "RetrieveUsersPrivilegesThroughTeams",
            ),
            (("systemuser", AccessRight.READ),),
        ),
        "RetrieveTeamPrivileges": (("team", AccessRight.READ),),
        "RetrieveBusinessHierarchyBusinessUnit": (("businessunit", AccessRight.READ),),
        # Members are records on the other side of a many-to-many relationship, as for Associate.
        **dict.fromkeys(("AddMembersTeam", "RemoveMembersTeam"), (_APPEND_TEAM, ("systemuser", AccessRight.APPEND))),
        "ConvertOwnerTeamToAccessTeam": (("team", AccessRight.WRITE),),
        **dict.fromkeys(
            ("ReassignObjectsSystemUser", "SetBusinessSystemUser", "SetParentSystemUser"),
            (("systemuser", AccessRight.WRITE),),
        ),
    }
)
"""Functions and actions that take privileges on tables; the first is that of the bound record."""

EXECUTE_ON_NAMED: Mapping[str, tuple[tuple[str, AccessRight], ...]] = MappingProxyType(
    {
        **dict.fromkeys(("AddMembersTeam", "RemoveMembersTeam"), (("Members", AccessRight.APPEND),)),
        "AddListMembersList": (("List", AccessRight.WRITE),),
        "CalculateRollupField": (("Target", AccessRight.WRITE),),
        "ReassignObjectsOwner": (("FromPrincipal", AccessRight.READ), ("ToPrincipal", AccessRight.READ)),
        "ReassignObjectsSystemUser": (("ReassignPrincipal", AccessRight.READ),),
        "CompoundUpdateDuplicateDetectionRule": (("Entity", AccessRight.WRITE), ("ChildEntities", AccessRight.WRITE)),
        "RemoveParent": (("Target", AccessRight.WRITE),),
        "SetLocLabels": (("EntityMoniker", AccessRight.WRITE),),
        "SetBusinessSystemUser": (("BusinessUnit", AccessRight.APPEND_TO), ("ReassignPrincipal", AccessRight.READ)),
        "SetParentSystemUser": (("Parent", AccessRight.APPEND_TO),),
    }
)
"""Functions and actions that take a right on the record, or records, that a parameter names."""

EXECUTE_REASSIGNS = frozenset(("ReassignObjectsOwner", "ReassignObjectsSystemUser", "SetBusinessSystemUser"))
"""Actions that give away all records of somebody, whatever table they are of: they take Assign on all records."""

EXECUTE_ON_BOUND_ROW: Mapping[str, AccessRight] = MappingProxyType(
    {
        "Hire": AccessRight.WRITE,
        "DoNotHire": AccessRight.WRITE,
        "Dismiss": AccessRight.WRITE,
        **dict.fromkeys(("QualifyLead", "AddMemberList", "RemoveMemberList"), AccessRight.WRITE),
        **dict.fromkeys(("LockSalesOrderPricing", "UnlockSalesOrderPricing"), AccessRight.WRITE),
        **dict.fromkeys(("LockInvoicePricing", "UnlockInvoicePricing"), AccessRight.WRITE),
    }
)
"""Actions of data entities: a right on the table they are bound to."""

EXECUTE_READS_TABLES: Mapping[str, str] = MappingProxyType({"RetrieveTotalRecordCount": "EntityNames"})
"""Functions that take Read on the tables that a parameter names."""

EXECUTE_CHANGES: Mapping[str, tuple[str, ...]] = MappingProxyType({"Merge": ("Target", "Subordinate", "UpdateContent")})
"""Actions that take Write on the records that parameters name, and the rights to what those are bound to."""

EXECUTE_READS_RECORDS: Mapping[str, str] = MappingProxyType(
    {
        "InitializeFrom": "EntityMoniker",
        "IsValidStateTransition": "Entity",
        "RetrieveLocLabels": "EntityMoniker",
        "RetrieveDuplicates": "BusinessEntity",
    }
)
"""Functions that take Read on the record that a parameter names."""

EXECUTE_BY_PRIVILEGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "CanBeReferenced",
                "CanBeReferencing",
                "CanManyToMany",
                "CalculatePrice",
                "CalculateRollupField",
                *("AddListMembersList", "CancelSalesOrder", "CloseIncident", "CloseQuote", "ConvertQuoteToSalesOrder"),
                *("ConvertSalesOrderToInvoice", "FulfillSalesOrder", "GenerateInvoiceFromOpportunity"),
                *("GenerateQuoteFromOpportunity", "GenerateSalesOrderFromOpportunity", "ReviseQuote", "WinQuote"),
                "FormatAddress",
                "GetAllTimeZonesWithDisplayName",
                "CompoundUpdateDuplicateDetectionRule",
                "GetTimeZoneCodeByLocalizedName",
                "GetValidManyToMany",
                "GetValidReferencedEntities",
                "GetValidReferencingEntities",
                "GrantAccess",
                "InitializeFrom",
                "IsValidStateTransition",
                "LocalTimeFromUtcTime",
                "LoseOpportunity",
                "ModifyAccess",
                "QueryExpressionToFetchXml",
                "ReassignObjectsOwner",
                "RemoveParent",
                "RetrieveAvailableLanguages",
                "RetrieveCurrentOrganization",
                "RetrieveDeprovisionedLanguages",
                "RetrieveDuplicates",
                "RetrieveInstalledLanguagePackVersion",
                "RetrieveInstalledLanguagePacks",
                "RetrieveProvisionedLanguagePackVersion",
                "RetrievePrincipalAccess",
                "RetrievePrincipalAccessInfo",
                "RetrievePrivilegeSet",
                "RetrieveProvisionedLanguages",
                "RetrieveSharedPrincipalsAndAccess",
                "RetrieveTimestamp",
                "RetrieveTotalRecordCount",
                "RetrieveVersion",
                "RevokeAccess",
                "UtcTimeFromLocalTime",
                "WhoAmI",
                "WinOpportunity",
            ),
            _OPEN,
        ),
        "BulkDetectDuplicates": ("prvReadDuplicateRule", "prvCreateAsyncOperation"),
        **dict.fromkeys(("PublishDuplicateRule", "UnpublishDuplicateRule"), ("prvPublishDuplicateRule",)),
        **dict.fromkeys(("GetAutoNumberSeed", "GetNextAutoNumberValue"), ("prvReadAttribute",)),
        **dict.fromkeys(("AutoMapEntity", "SetAutoNumberSeed"), ("prvWriteAttribute",)),
        "RetrieveExchangeRate": ("prvReadTransactionCurrency",),
        "ExecuteBackgroundOperation": ("prvReadbackgroundoperation", "prvWritebackgroundoperation"),
        **dict.fromkeys(
            (
                *("InitializeFileBlocksUpload", "UploadBlock", "CommitFileBlocksUpload", "DeleteFile"),
                *("InitializeFileBlocksDownload", "DownloadBlock"),
                *("UploadFile", "UploadFileChunk", "ClearFile", "DownloadFile"),
            ),
            _OPEN,
        ),
        **dict.fromkeys(("RetrieveAllEntities", "RetrieveEntity", "RetrieveMetadataChanges"), ("prvReadEntity",)),
        "CreateEntities": ("prvCreateEntity", "prvCreateAttribute", "prvCreateRelationship"),
        **dict.fromkeys(
            ("CreateCustomerRelationships", "CreatePolymorphicLookupAttribute"),
            ("prvCreateAttribute", "prvCreateRelationship"),
        ),
        "ReactivateEntityKey": ("prvWriteEntity",),
        **dict.fromkeys(
            (
                *("IsComponentCustomizable", "RetrieveDependenciesForDelete", "RetrieveDependentComponents"),
                "RetrieveRequiredComponents",
            ),
            ("prvReadEntity",),
        ),
        **dict.fromkeys(("RetrieveDependenciesForUninstall", "RetrieveMissingDependencies"), ("prvReadSolution",)),
        **dict.fromkeys(
            ("AddSolutionComponent", "RemoveSolutionComponent", "UpdateSolutionComponent"), ("prvWriteSolution",)
        ),
        **dict.fromkeys(
            ("RetrieveLocLabels", "RetrieveUnpublished", "RetrieveUnpublishedMultiple", "SetLocLabels"), _OPEN
        ),
        "CreateEntity": ("prvCreateEntity",),
        "UpdateEntity": ("prvWriteEntity",),
        "DeleteEntity": ("prvDeleteEntity",),
        "CreateAttribute": ("prvCreateAttribute",),
        "UpdateAttribute": ("prvWriteAttribute",),
        "DeleteAttribute": ("prvDeleteAttribute",),
        "CreateEntityKey": ("prvWriteEntity",),
        "DeleteEntityKey": ("prvWriteEntity",),
        "CreateOneToMany": ("prvCreateRelationship",),
        "CreateManyToMany": ("prvCreateRelationship",),
        "UpdateRelationship": ("prvWriteRelationship",),
        "DeleteRelationship": ("prvDeleteRelationship",),
        "CreateOptionSet": ("prvCreateOptionSet",),
        "UpdateOptionSet": ("prvWriteOptionSet",),
        "DeleteOptionSet": ("prvDeleteOptionSet",),
        **dict.fromkeys(
            (
                *("InsertOptionValue", "InsertStatusValue", "UpdateOptionValue", "UpdateStateValue"),
                *("DeleteOptionValue", "OrderOption"),
            ),
            ("prvWriteOptionSet",),
        ),
        "ExportSolution": ("prvExportCustomization",),
        "ImportSolution": ("prvImportCustomization",),
        "PublishXml": ("prvPublishCustomization",),
        "PublishAllXml": ("prvPublishCustomization",),
    }
)
"""Functions and actions that take task privileges, or none; those on files take the rights on their rows."""
