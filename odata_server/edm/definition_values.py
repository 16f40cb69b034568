"""Complex types and enumerations of definitions: what stands in the properties of `definition_types`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PropertyType:
    """The type of a property: `name` without namespace (`String`, `Label`), possibly a collection of it."""

    name: str
    is_collection: bool = False
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class ComplexType:
    """A complex type of the Web API; `properties` are its own, in order."""

    name: str
    properties: Mapping[str, PropertyType]
    base: str = ""


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enumeration: members with their values."""

    name: str
    members: Mapping[str, int]
    is_flags: bool = False


def read_properties(text: str) -> Mapping[str, PropertyType]:
    """Return declared properties.

    Args:
        text: `Name:Type` separated by blanks; a collection's type is in brackets, `!` means never null.
    """
    return {name: _property_type(type_) for name, _, type_ in (word.partition(":") for word in text.split())}


def _property_type(text: str) -> PropertyType:
    bare = text.removesuffix("!")
    return PropertyType(bare.strip("[]"), is_collection=bare.startswith("["), is_nullable=bare == text)


def _complex(name: str, properties: str, *, base: str = "") -> ComplexType:
    return ComplexType(name, read_properties(properties), base)


def _enum(name: str, members: str, *, is_flags: bool = False) -> EnumType:
    return EnumType(name, {n: int(v) for n, _, v in (m.partition("=") for m in members.split())}, is_flags)


COMPLEX_TYPES: Final = (
    _complex(
        "AssociatedMenuConfiguration",
        """
        Behavior:AssociatedMenuBehavior Group:AssociatedMenuGroup Label:Label Order:Int32
        IsCustomizable:Boolean Icon:String ViewId:Guid AvailableOffline:Boolean MenuId:String
        QueryApi:String
        """,
    ),
    _complex(
        "AttributeRequiredLevelManagedProperty",
        """
        Value:AttributeRequiredLevel CanBeChanged:Boolean ManagedPropertyLogicalName:String
        """,
    ),
    _complex("AttributeTypeDisplayName", "Value:String"),
    _complex("BooleanManagedProperty", "Value:Boolean CanBeChanged:Boolean ManagedPropertyLogicalName:String"),
    _complex(
        "CascadeConfiguration",
        """
        Assign:CascadeType Delete:CascadeType Merge:CascadeType Reparent:CascadeType Share:CascadeType
        Unshare:CascadeType RollupView:CascadeType
        """,
    ),
    _complex("DateTimeBehavior", "Value:String"),
    _complex("EntitySetting", "Name:String Value:crmbaseentity"),
    _complex("Label", "LocalizedLabels:[LocalizedLabel] UserLocalizedLabel:LocalizedLabel"),
    _complex(
        "LocalizedLabel",
        """
        Label:String LanguageCode:Int32 IsManaged:Boolean MetadataId:Guid HasChanged:Boolean
        """,
    ),
    _complex(
        "OptionMetadata",
        """
        Value:Int32 Label:Label Description:Label Color:String IsManaged:Boolean ExternalValue:String
        ParentValues:[Int32] MetadataId:Guid HasChanged:Boolean
        """,
    ),
    _complex("MemoFormatName", "Value:String"),
    _complex("RelationshipAttribute", "ReferencingAttributeName:String ReferencedAttributeName:String"),
    _complex("RolePrivilege", "Depth:PrivilegeDepth PrivilegeId:Guid BusinessUnitId:Guid PrivilegeName:String"),
    _complex(
        "SecurityPrivilegeMetadata",
        """
        CanBeBasic:Boolean CanBeDeep:Boolean CanBeGlobal:Boolean CanBeLocal:Boolean
        CanBeEntityReference:Boolean CanBeParentEntityReference:Boolean Name:String PrivilegeId:Guid
        PrivilegeType:PrivilegeType CanBeRecordFilter:Boolean
        """,
    ),
    _complex("StateOptionMetadata", "DefaultStatus:Int32 InvariantName:String", base="OptionMetadata"),
    _complex("StatusOptionMetadata", "State:Int32 TransitionData:String", base="OptionMetadata"),
    _complex("StringFormatName", "Value:String"),
    _complex("WhoAmIResponse", "BusinessUnitId:Guid UserId:Guid OrganizationId:Guid"),
)

ENUM_TYPES: Final = (
    _enum("AssociatedMenuBehavior", "UseCollectionName=0 UseLabel=1 DoNotDisplay=2"),
    _enum("AssociatedMenuGroup", "Details=0 Sales=1 Service=2 Marketing=3"),
    _enum("AttributeRequiredLevel", "None=0 SystemRequired=1 ApplicationRequired=2 Recommended=3"),
    _enum(
        "AttributeTypeCode",
        """
        Boolean=0 Customer=1 DateTime=2 Decimal=3 Double=4 Integer=5 Lookup=6 Memo=7 Money=8 Owner=9
        PartyList=10 Picklist=11 State=12 Status=13 String=14 Uniqueidentifier=15 CalendarRules=16
        Virtual=17 BigInt=18 ManagedProperty=19 EntityName=20
        """,
    ),
    _enum("CascadeType", "NoCascade=0 Cascade=1 Active=2 UserOwned=3 RemoveLink=4 Restrict=5"),
    _enum("ClusterMode", "Partitioned=0 Replicated=1 Local=2"),
    _enum("DateTimeFormat", "DateOnly=0 DateAndTime=1"),
    _enum("EntityKeyIndexStatus", "Pending=0 InProgress=1 Active=2 Failed=3"),
    _enum("ImeMode", "Auto=0 Inactive=1 Active=2 Disabled=3"),
    _enum("IntegerFormat", "None=0 Duration=1 TimeZone=2 Language=3 Locale=4"),
    _enum("LookupFormat", "None=0 Connection=1 Regarding=2 Text=3"),
    _enum("ManagedPropertyEvaluationPriority", "None=0 Low=1 Normal=2 High=3 Essential=4"),
    _enum("ManagedPropertyOperation", "None=0 Create=1 Update=2 CreateUpdate=3 Delete=4 UpdateDelete=6 All=7"),
    _enum("ManagedPropertyType", "Operation=0 Attribute=1 CustomEvaluator=2 Custom=3"),
    _enum("OptionSetType", "Picklist=0 State=1 Status=2 Boolean=3"),
    _enum(
        "OwnershipTypes",
        """
        None=0 UserOwned=1 TeamOwned=2 BusinessOwned=4 OrganizationOwned=8 BusinessParented=16
        """,
        is_flags=True,
    ),
    _enum("PrivilegeDepth", "Basic=0 Local=1 Deep=2 Global=3"),
    _enum("PrivilegeType", "None=0 Create=1 Read=2 Write=3 Delete=4 Assign=5 Share=6 Append=7 AppendTo=8"),
    _enum("RelationshipType", "OneToManyRelationship=0 ManyToManyRelationship=1"),
    _enum("SecurityTypes", "None=0 Append=1 ParentChild=2 Pointer=4 Inheritance=8", is_flags=True),
    _enum("StringFormat", "Email=0 Text=1 TextArea=2 Url=3 TickerSymbol=4 PhoneticGuide=5 VersionNumber=6 Phone=7"),
)

ENUMS: Final[Mapping[str, EnumType]] = {enum.name: enum for enum in ENUM_TYPES}
COMPLEX: Final[Mapping[str, ComplexType]] = {complex_type.name: complex_type for complex_type in COMPLEX_TYPES}
