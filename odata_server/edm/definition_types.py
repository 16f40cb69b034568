"""The entity types of definitions: tables, columns, choices, keys and relationships as the Web API types them.

Names, types and order are those of Dataverse's own `$metadata`, with the members that v9.2 added to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from odata_server.edm.definition_values import PropertyType, read_properties


@dataclass(frozen=True, slots=True)
class NavigationType:
    """A navigation property of a definition; a contained one has its target inside the definition."""

    target: str
    is_collection: bool
    is_contained: bool


@dataclass(frozen=True, slots=True)
class DefinitionType:
    """An entity type of definitions: its own properties and navigation properties, not those of its base."""

    name: str
    base: str
    properties: Mapping[str, PropertyType]
    navigations: Mapping[str, NavigationType] = field(default_factory=dict)
    alternate_key: str = ""
    is_abstract: bool = False


def _entity(
    name: str, base: str, properties: str, *, navigations: str = "", alternate_key: str = "", is_abstract: bool = False
) -> DefinitionType:
    return DefinitionType(
        name, base, read_properties(properties), _navigations(navigations), alternate_key, is_abstract
    )


def _navigations(text: str) -> Mapping[str, NavigationType]:
    found = {}
    for word in text.split():
        name, _, target = word.partition(":")
        bare = target.removesuffix("*")
        found[name] = NavigationType(bare.strip("[]"), bare.startswith("["), bare != target)
    return found


DEFINITION_TYPES: Final = (
    _entity(
        "MetadataBase",
        "crmmodelbaseentity",
        "MetadataId:Guid HasChanged:Boolean",
        is_abstract=True,
    ),
    _entity(
        "EntityMetadata",
        "MetadataBase",
        """
        ActivityTypeMask:Int32 AutoRouteToOwnerQueue:Boolean CanTriggerWorkflow:Boolean Description:Label
        DisplayCollectionName:Label DisplayName:Label EntityHelpUrlEnabled:Boolean EntityHelpUrl:String
        IsDocumentManagementEnabled:Boolean IsOneNoteIntegrationEnabled:Boolean
        IsInteractionCentricEnabled:Boolean IsKnowledgeManagementEnabled:Boolean IsSLAEnabled:Boolean
        IsBPFEntity:Boolean IsDocumentRecommendationsEnabled:Boolean IsMSTeamsIntegrationEnabled:Boolean
        SettingOf:String DataProviderId:Guid DataSourceId:Guid AutoCreateAccessTeams:Boolean
        IsActivity:Boolean IsActivityParty:Boolean IsAuditEnabled:BooleanManagedProperty
        IsAvailableOffline:Boolean IsChildEntity:Boolean IsAIRUpdated:Boolean
        IsValidForQueue:BooleanManagedProperty IsConnectionsEnabled:BooleanManagedProperty
        IconLargeName:String IconMediumName:String IconSmallName:String IconVectorName:String
        IsCustomEntity:Boolean IsBusinessProcessEnabled:Boolean IsCustomizable:BooleanManagedProperty
        IsRenameable:BooleanManagedProperty IsMappable:BooleanManagedProperty
        IsDuplicateDetectionEnabled:BooleanManagedProperty CanCreateAttributes:BooleanManagedProperty
        CanCreateForms:BooleanManagedProperty CanCreateViews:BooleanManagedProperty
        CanCreateCharts:BooleanManagedProperty CanBeRelatedEntityInRelationship:BooleanManagedProperty
        CanBePrimaryEntityInRelationship:BooleanManagedProperty CanBeInManyToMany:BooleanManagedProperty
        CanBeInCustomEntityAssociation:BooleanManagedProperty
        CanEnableSyncToExternalSearchIndex:BooleanManagedProperty SyncToExternalSearchIndex:Boolean
        CanModifyAdditionalSettings:BooleanManagedProperty
        CanChangeHierarchicalRelationship:BooleanManagedProperty IsOptimisticConcurrencyEnabled:Boolean
        ChangeTrackingEnabled:Boolean CanChangeTrackingBeEnabled:BooleanManagedProperty IsImportable:Boolean
        IsIntersect:Boolean IsMailMergeEnabled:BooleanManagedProperty IsManaged:Boolean
        IsEnabledForCharts:Boolean IsEnabledForTrace:Boolean IsValidForAdvancedFind:Boolean
        IsVisibleInMobile:BooleanManagedProperty IsVisibleInMobileClient:BooleanManagedProperty
        IsReadOnlyInMobileClient:BooleanManagedProperty IsOfflineInMobileClient:BooleanManagedProperty
        DaysSinceRecordLastModified:Int32 MobileOfflineFilters:String IsReadingPaneEnabled:Boolean
        IsQuickCreateEnabled:Boolean LogicalName:String ObjectTypeCode:Int32 OwnershipType:OwnershipTypes
        PrimaryNameAttribute:String PrimaryImageAttribute:String PrimaryIdAttribute:String
        Privileges:[SecurityPrivilegeMetadata] RecurrenceBaseEntityLogicalName:String ReportViewName:String
        SchemaName:String IntroducedVersion:String IsStateModelAware:Boolean EnforceStateTransitions:Boolean
        ExternalName:String EntityColor:String LogicalCollectionName:String ExternalCollectionName:String
        CollectionSchemaName:String EntitySetName:String IsEnabledForExternalChannels:Boolean
        IsPrivate:Boolean UsesBusinessDataLabelTable:Boolean IsLogicalEntity:Boolean HasNotes:Boolean
        HasActivities:Boolean HasFeedback:Boolean IsSolutionAware:Boolean Settings:[EntitySetting]
        CreatedOn:DateTimeOffset ModifiedOn:DateTimeOffset IsRetrieveAuditEnabled:Boolean
        IsRetrieveMultipleAuditEnabled:Boolean IsArchivalEnabled:Boolean IsRetentionEnabled:Boolean
        ClusterMode:ClusterMode HasEmailAddresses:Boolean OwnerId:Guid OwnerIdType:Int32
        OwningBusinessUnit:Guid TableType:String
        """,
        navigations="""
        Attributes:[AttributeMetadata]* ManyToManyRelationships:[ManyToManyRelationshipMetadata]
        ManyToOneRelationships:[OneToManyRelationshipMetadata]
        OneToManyRelationships:[OneToManyRelationshipMetadata] Keys:[EntityKeyMetadata]*
        """,
        alternate_key="LogicalName",
    ),
    _entity(
        "AttributeMetadata",
        "MetadataBase",
        """
        AttributeOf:String AttributeType:AttributeTypeCode AttributeTypeName:AttributeTypeDisplayName
        ColumnNumber:Int32 Description:Label DisplayName:Label DeprecatedVersion:String
        IntroducedVersion:String EntityLogicalName:String IsAuditEnabled:BooleanManagedProperty
        IsCustomAttribute:Boolean IsPrimaryId:Boolean IsValidODataAttribute:Boolean! IsPrimaryName:Boolean
        IsValidForCreate:Boolean IsValidForRead:Boolean IsValidForUpdate:Boolean CanBeSecuredForRead:Boolean
        CanBeSecuredForCreate:Boolean CanBeSecuredForUpdate:Boolean IsSecured:Boolean IsRetrievable:Boolean
        IsFilterable:Boolean IsSearchable:Boolean IsManaged:Boolean
        IsGlobalFilterEnabled:BooleanManagedProperty IsSortableEnabled:BooleanManagedProperty
        LinkedAttributeId:Guid LogicalName:String IsCustomizable:BooleanManagedProperty
        IsRenameable:BooleanManagedProperty IsValidForAdvancedFind:BooleanManagedProperty
        IsValidForForm:Boolean IsRequiredForForm:Boolean IsValidForGrid:Boolean
        RequiredLevel:AttributeRequiredLevelManagedProperty
        CanModifyAdditionalSettings:BooleanManagedProperty SchemaName:String ExternalName:String
        IsLogical:Boolean IsDataSourceSecret:Boolean InheritsFrom:String CreatedOn:DateTimeOffset
        ModifiedOn:DateTimeOffset SourceType:Int32 AutoNumberFormat:String
        """,
        alternate_key="LogicalName",
    ),
    _entity(
        "EnumAttributeMetadata",
        "AttributeMetadata",
        "DefaultFormValue:Int32",
        navigations="OptionSet:OptionSetMetadata* GlobalOptionSet:OptionSetMetadata",
    ),
    _entity(
        "BigIntAttributeMetadata",
        "AttributeMetadata",
        "MaxValue:Int64 MinValue:Int64",
    ),
    _entity(
        "BooleanAttributeMetadata",
        "AttributeMetadata",
        "DefaultValue:Boolean FormulaDefinition:String SourceTypeMask:Int32",
        navigations="OptionSet:BooleanOptionSetMetadata* GlobalOptionSet:BooleanOptionSetMetadata",
    ),
    _entity(
        "DateTimeAttributeMetadata",
        "AttributeMetadata",
        """
        MinSupportedValue:DateTimeOffset! MaxSupportedValue:DateTimeOffset! Format:DateTimeFormat
        ImeMode:ImeMode SourceTypeMask:Int32 FormulaDefinition:String DateTimeBehavior:DateTimeBehavior
        CanChangeDateTimeBehavior:BooleanManagedProperty
        """,
    ),
    _entity(
        "DecimalAttributeMetadata",
        "AttributeMetadata",
        """
        MaxValue:Decimal MinValue:Decimal Precision:Int32 ImeMode:ImeMode FormulaDefinition:String
        SourceTypeMask:Int32
        """,
    ),
    _entity(
        "DoubleAttributeMetadata",
        "AttributeMetadata",
        "ImeMode:ImeMode MaxValue:Double MinValue:Double Precision:Int32",
    ),
    _entity(
        "EntityNameAttributeMetadata",
        "EnumAttributeMetadata",
        "IsEntityReferenceStored:Boolean!",
    ),
    _entity(
        "FileAttributeMetadata",
        "AttributeMetadata",
        "MaxSizeInKB:Int32",
    ),
    _entity(
        "ImageAttributeMetadata",
        "AttributeMetadata",
        "IsPrimaryImage:Boolean MaxHeight:Int16 MaxWidth:Int16 MaxSizeInKB:Int32 CanStoreFullImage:Boolean",
    ),
    _entity(
        "IntegerAttributeMetadata",
        "AttributeMetadata",
        "Format:IntegerFormat MaxValue:Int32 MinValue:Int32 FormulaDefinition:String SourceTypeMask:Int32",
    ),
    _entity(
        "LookupAttributeMetadata",
        "AttributeMetadata",
        "Targets:[String] Format:LookupFormat",
    ),
    _entity(
        "ManagedPropertyAttributeMetadata",
        "AttributeMetadata",
        """
        ManagedPropertyLogicalName:String ParentComponentType:Int32 ParentAttributeName:String
        ValueAttributeTypeCode:AttributeTypeCode!
        """,
    ),
    _entity(
        "MemoAttributeMetadata",
        "AttributeMetadata",
        "Format:StringFormat FormatName:MemoFormatName ImeMode:ImeMode MaxLength:Int32 IsLocalizable:Boolean",
    ),
    _entity(
        "MoneyAttributeMetadata",
        "AttributeMetadata",
        """
        ImeMode:ImeMode MaxValue:Double MinValue:Double Precision:Int32 PrecisionSource:Int32
        CalculationOf:String FormulaDefinition:String SourceTypeMask:Int32 IsBaseCurrency:Boolean
        """,
    ),
    _entity(
        "MultiSelectPicklistAttributeMetadata",
        "EnumAttributeMetadata",
        """
        FormulaDefinition:String SourceTypeMask:Int32 ParentPicklistLogicalName:String
        ChildPicklistLogicalNames:[String]
        """,
    ),
    _entity(
        "PicklistAttributeMetadata",
        "EnumAttributeMetadata",
        """
        FormulaDefinition:String SourceTypeMask:Int32 ParentPicklistLogicalName:String
        ChildPicklistLogicalNames:[String]
        """,
    ),
    _entity(
        "StateAttributeMetadata",
        "EnumAttributeMetadata",
        "",
    ),
    _entity(
        "StatusAttributeMetadata",
        "EnumAttributeMetadata",
        "",
    ),
    _entity(
        "StringAttributeMetadata",
        "AttributeMetadata",
        """
        Format:StringFormat FormatName:StringFormatName ImeMode:ImeMode MaxLength:Int32 YomiOf:String
        IsLocalizable:Boolean DatabaseLength:Int32 FormulaDefinition:String SourceTypeMask:Int32
        """,
    ),
    _entity(
        "UniqueIdentifierAttributeMetadata",
        "AttributeMetadata",
        "",
    ),
    _entity(
        "OptionSetMetadataBase",
        "MetadataBase",
        """
        Description:Label DisplayName:Label IsCustomOptionSet:Boolean IsGlobal:Boolean IsManaged:Boolean
        IsCustomizable:BooleanManagedProperty Name:String ExternalTypeName:String
        OptionSetType:OptionSetType IntroducedVersion:String
        """,
        alternate_key="Name",
    ),
    _entity(
        "OptionSetMetadata",
        "OptionSetMetadataBase",
        "Options:[OptionMetadata] ParentOptionSetName:String",
    ),
    _entity(
        "BooleanOptionSetMetadata",
        "OptionSetMetadataBase",
        "TrueOption:OptionMetadata FalseOption:OptionMetadata",
    ),
    _entity(
        "EntityKeyMetadata",
        "MetadataBase",
        """
        DisplayName:Label LogicalName:String SchemaName:String EntityLogicalName:String
        KeyAttributes:[String] IsCustomizable:BooleanManagedProperty IsManaged:Boolean
        IntroducedVersion:String EntityKeyIndexStatus:EntityKeyIndexStatus! AsyncJob:Guid!
        IsSynchronous:Boolean IsExportKey:Boolean
        """,
        alternate_key="LogicalName",
    ),
    _entity(
        "RelationshipMetadataBase",
        "MetadataBase",
        """
        IsCustomRelationship:Boolean IsCustomizable:BooleanManagedProperty IsValidForAdvancedFind:Boolean
        SchemaName:String SecurityTypes:SecurityTypes IsManaged:Boolean RelationshipType:RelationshipType!
        IntroducedVersion:String
        """,
        alternate_key="SchemaName",
        is_abstract=True,
    ),
    _entity(
        "OneToManyRelationshipMetadata",
        "RelationshipMetadataBase",
        """
        AssociatedMenuConfiguration:AssociatedMenuConfiguration CascadeConfiguration:CascadeConfiguration
        ReferencedAttribute:String ReferencedEntity:String ReferencingAttribute:String
        ReferencingEntity:String IsHierarchical:Boolean EntityKey:String
        RelationshipAttributes:[RelationshipAttribute] ReferencedEntityNavigationPropertyName:String
        ReferencingEntityNavigationPropertyName:String RelationshipBehavior:Int32
        """,
        navigations="Lookup:LookupAttributeMetadata*",
    ),
    _entity(
        "ManyToManyRelationshipMetadata",
        "RelationshipMetadataBase",
        """
        Entity1AssociatedMenuConfiguration:AssociatedMenuConfiguration
        Entity2AssociatedMenuConfiguration:AssociatedMenuConfiguration Entity1LogicalName:String
        Entity2LogicalName:String IntersectEntityName:String Entity1IntersectAttribute:String
        Entity2IntersectAttribute:String Entity1NavigationPropertyName:String
        Entity2NavigationPropertyName:String
        """,
    ),
    _entity(
        "ManagedPropertyMetadata",
        "MetadataBase",
        """
        LogicalName:String DisplayName:Label ManagedPropertyType:ManagedPropertyType
        Operation:ManagedPropertyOperation IsGlobalForOperation:Boolean
        EvaluationPriority:ManagedPropertyEvaluationPriority IsPrivate:Boolean ErrorCode:Int32
        EnablesEntityName:String EnablesAttributeName:String Description:Label IntroducedVersion:String
        """,
        alternate_key="LogicalName",
    ),
)

DEFINITIONS: Final[Mapping[str, DefinitionType]] = {type_.name: type_ for type_ in DEFINITION_TYPES}


def lineage(name: str) -> tuple[DefinitionType, ...]:
    """Return a type and its bases, the most derived first; empty for a name that is no type of definitions."""
    chain = []
    while name in DEFINITIONS:
        chain.append(DEFINITIONS[name])
        name = DEFINITIONS[name].base
    return tuple(chain)


@cache
def all_properties(name: str) -> Mapping[str, PropertyType]:
    """Return the properties of a type, those of its bases included."""
    return {own: type_ for level in reversed(lineage(name)) for own, type_ in level.properties.items()}


@cache
def all_navigations(name: str) -> Mapping[str, NavigationType]:
    """Return the navigation properties of a type, those of its bases included."""
    return {own: type_ for level in reversed(lineage(name)) for own, type_ in level.navigations.items()}


def is_derived(name: str, base: str) -> bool:
    """Say whether a type is another one or derives from it."""
    return any(level.name == base for level in lineage(name))


def alternate_key(name: str) -> str:
    """Return the property that names a definition beside its MetadataId; empty when there is none."""
    return next((level.alternate_key for level in lineage(name) if level.alternate_key), "")
