"""The columns of `customizations.xml` as definitions: how a solution calls and writes each type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from odata_server.admin.schema.findings import Json
from odata_server.edm.csdl_document import Element


@dataclass(frozen=True, slots=True)
class SolutionType:
    """How a column type is called: `Type` in a solution, kind and entity type in definitions."""

    name: str
    kind: str
    entity_type: str = ""

    @property
    def definition_type(self) -> str:
        """The entity type of its definitions."""
        return f"#Microsoft.Dynamics.CRM.{self.entity_type or self.kind}AttributeMetadata"


TYPES: Final = (
    SolutionType("primarykey", "Uniqueidentifier", " "),
    SolutionType("uniqueidentifier", "Uniqueidentifier", " "),
    SolutionType("nvarchar", "String"),
    SolutionType("ntext", "Memo"),
    SolutionType("int", "Integer"),
    SolutionType("bigint", "BigInt"),
    SolutionType("timestamp", "BigInt"),
    SolutionType("decimal", "Decimal"),
    SolutionType("float", "Double"),
    SolutionType("money", "Money"),
    SolutionType("bit", "Boolean"),
    SolutionType("datetime", "DateTime"),
    SolutionType("picklist", "Picklist"),
    SolutionType("multiselectpicklist", "MultiSelectPicklist"),
    SolutionType("state", "State"),
    SolutionType("status", "Status"),
    SolutionType("lookup", "Lookup"),
    SolutionType("customer", "Customer", "Lookup"),
    SolutionType("owner", "Owner", "Lookup"),
    SolutionType("entityname", "EntityName"),
    SolutionType("managedproperty", "ManagedProperty"),
    SolutionType("file", "File"),
    SolutionType("image", "Image"),
    SolutionType("partylist", "PartyList", "Lookup"),
    SolutionType("virtual", "Virtual", " "),
)
BY_NAME: Final[Mapping[str, SolutionType]] = {type_.name: type_ for type_ in TYPES}
BY_KIND: Final[Mapping[str, SolutionType]] = {type_.kind: type_ for type_ in reversed(TYPES)}

_VIRTUAL: Final = frozenset({"MultiSelectPicklist", "File", "Image"})
"""Kinds that definitions call by `AttributeTypeName` only."""

LEVELS: Final[Mapping[str, str]] = {
    "none": "None",
    "systemrequired": "SystemRequired",
    "applicationrequired": "ApplicationRequired",
    "required": "ApplicationRequired",
    "recommended": "Recommended",
}
TEXT_FORMATS: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in ("Text", "Email", "TextArea", "Url", "TickerSymbol", "PhoneticGuide", "VersionNumber", "Phone")
} | {"json": "Json", "richtext": "RichText"}
DATE_FORMATS: Final[Mapping[str, str]] = {"date": "DateOnly", "datetime": "DateAndTime"}
BEHAVIORS: Final[Mapping[str, str]] = {"1": "UserLocal", "2": "DateOnly", "3": "TimeZoneIndependent"}


def text_of(element: Element, name: str) -> str | None:
    """Return the text of a child element, None where it is absent or empty."""
    child = next(element.named(name), None)
    return child.text or None if child is not None else None


def items(element: Element, collection: str, item: str) -> Iterator[Element]:
    """Yield the items of a collection below an element."""
    for holder in element.named(collection):
        yield from holder.named(item)


def flag(element: Element, name: str) -> bool | None:
    """Return a yes/no child element; None where it is absent."""
    text = text_of(element, name)
    return None if text is None else text.lower() in {"1", "true"}


def number(element: Element, name: str) -> int | Decimal | None:
    """Return a number in a child element; None where there is none."""
    text = text_of(element, name)
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    if value is None or not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else value


def label(element: Element, collection: str, item: str) -> Json | None:
    """Return the texts of an element, by language, as a Label; None where there are none."""
    texts = [
        {"Label": child.get("description"), "LanguageCode": int(child.get("languagecode", "1033"))}
        for child in items(element, collection, item)
        if child.get("description") and child.get("languagecode", "1033").isdecimal()
    ]
    return {"LocalizedLabels": texts} if texts else None


def without_nothing(members: Json) -> Json:
    """Return members without those that say nothing."""
    return {name: value for name, value in members.items() if value is not None}


def column_definition(element: Element, table: str, targets: Mapping[tuple[str, str], tuple[str, ...]]) -> Json:
    """Return an `attribute` element as the definition of a column.

    Args:
        element: the element.
        table: the logical name of its table.
        targets: where lookups lead, by table and column.
    """
    name = text_of(element, "LogicalName") or text_of(element, "Name") or element.get("PhysicalName").lower()
    stated = (text_of(element, "Type") or "").lower()
    type_ = BY_NAME.get(stated, SolutionType(stated, stated or "Virtual", " "))
    level = LEVELS.get((text_of(element, "RequiredLevel") or "none").lower(), "None")
    own = _OWN.get(type_.kind)
    return without_nothing(
        {
            **({"@odata.type": type_.definition_type} if type_.entity_type != " " else {}),
            "AttributeTypeName": {"Value": f"{type_.kind}Type"},
            "AttributeType": "Virtual" if type_.kind in _VIRTUAL else type_.kind,
            "LogicalName": name.lower(),
            "SchemaName": element.get("PhysicalName") or name,
            "DisplayName": label(element, "displaynames", "displayname"),
            "Description": label(element, "Descriptions", "Description"),
            "RequiredLevel": {"Value": level},
            "IsValidForCreate": flag(element, "ValidForCreateApi"),
            "IsValidForUpdate": flag(element, "ValidForUpdateApi"),
            "IsValidForRead": flag(element, "ValidForReadApi"),
            "IsCustomAttribute": flag(element, "IsCustomField"),
            "IsSecured": flag(element, "IsSecured"),
            "AutoNumberFormat": text_of(element, "AutoNumberFormat"),
            "SourceType": number(element, "SourceType"),
            "FormulaDefinition": text_of(element, "FormulaDefinition"),
            "Targets": list(targets.get((table, name.lower()), ())) or None,
            "IsPrimaryId": stated == "primarykey" or None,
            "IsPrimaryName": "PrimaryName" in (text_of(element, "DisplayMask") or "").split("|") or None,
            **(own(element) if own is not None else {}),
        }
    )


def _string(element: Element) -> Json:
    shown = TEXT_FORMATS.get((text_of(element, "Format") or "text").lower(), "Text")
    return {"MaxLength": number(element, "MaxLength"), "Format": shown, "FormatName": {"Value": shown}}


def _memo(element: Element) -> Json:
    return {"MaxLength": number(element, "MaxLength")}


def _limits(element: Element) -> Json:
    return {"MinValue": number(element, "MinValue"), "MaxValue": number(element, "MaxValue")}


def _precise(element: Element) -> Json:
    accuracy = number(element, "Accuracy")
    return {**_limits(element), "Precision": number(element, "Precision") if accuracy is None else accuracy}


def _date_time(element: Element) -> Json:
    behavior = BEHAVIORS.get(text_of(element, "Behavior") or "1", "UserLocal")
    shown = DATE_FORMATS.get((text_of(element, "Format") or "datetime").lower(), "DateAndTime")
    return {"DateTimeBehavior": {"Value": behavior}, "Format": shown}


def _choice(element: Element) -> Json:
    name = text_of(element, "OptionSetName")
    own = next(element.named("optionset"), None)
    stated = {"IsGlobal": True, "Name": name} if name and own is None else option_set(own) if own is not None else None
    return {"DefaultFormValue": number(element, "AppDefaultValue"), "OptionSet": stated}


def _boolean(element: Element) -> Json:
    found = (option_set(own) for own in element.named("optionset"))
    options = {option["Value"]: option for stated in found for option in stated["Options"]}
    labels = {"TrueOption": options.get(1), "FalseOption": options.get(0)}
    return {
        "DefaultValue": flag(element, "AppDefaultValue"),
        "OptionSet": without_nothing(labels) if options else None,
    }


def _states(element: Element) -> Json:
    return {"OptionSet": next((option_set(own) for own in element.named("optionset")), None)}


def _sized(element: Element) -> Json:
    size = number(element, "MaxSizeInKB")
    return {
        "MaxSizeInKB": number(element, "MaxValue") if size is None else size,
        "CanStoreFullImage": flag(element, "CanStoreFullImage"),
        "IsPrimaryImage": flag(element, "IsPrimaryImage"),
    }


_OWN: Final[Mapping[str, Callable[[Element], Json]]] = {
    "String": _string,
    "Memo": _memo,
    "Integer": _limits,
    "Decimal": _precise,
    "Double": _precise,
    "Money": _precise,
    "DateTime": _date_time,
    "Picklist": _choice,
    "MultiSelectPicklist": _choice,
    "Boolean": _boolean,
    "State": _states,
    "Status": _states,
    "File": _sized,
    "Image": _sized,
}


def option_set(element: Element) -> Json:
    """Return an `optionset` element as the definition of a choice."""
    return without_nothing(
        {
            "Name": element.get("Name"),
            "IsGlobal": flag(element, "IsGlobal") or False,
            "DisplayName": label(element, "displaynames", "displayname"),
            "ExternalTypeName": text_of(element, "ExternalTypeName"),
            "Options": list(_options(element)),
        }
    )


def _options(element: Element) -> Iterator[Json]:
    for holder, item in (("options", "option"), ("states", "state"), ("statuses", "status")):
        yield from map(_option, items(element, holder, item))


def _option(element: Element) -> Json:
    def whole(name: str) -> int | None:
        text = element.get(name)
        return int(text) if text.removeprefix("-").isdecimal() else None

    return without_nothing(
        {
            "Value": whole("value"),
            "Label": label(element, "labels", "label") or {"LocalizedLabels": []},
            "Description": label(element, "Descriptions", "Description"),
            "ExternalValue": element.get("ExternalValue") or None,
            "Color": element.get("Color") or None,
            "State": whole("state"),
            "DefaultStatus": whole("defaultstatus"),
            "InvariantName": element.get("invariantname") or None,
        }
    )
