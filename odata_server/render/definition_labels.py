"""Labels, managed properties and options inside definitions, as the Web API writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.columns import Option, StateOption, StatusOption
from entities.metadata.declare import derived_id
from entities.metadata.labels import Label
from odata_server.edm.naming import WEB_API_NAMESPACE

Json = Mapping[str, object]

INTRODUCED: Final = "5.0.0.0"
"""The version that definitions of the system say they came with."""
EPOCH: Final = "1900-01-01T00:00:00Z"
"""The moment that definitions of the system say they were made at."""


def label_value(label: Label, *, owner: str, kind: str, is_managed: bool) -> Json:
    """Return a Label object.

    Args:
        label: its texts.
        owner: the id of the definition that has the label; with `kind` it makes the label's own id.
        kind: which label of the definition.
        is_managed: whether the definition came with the system.
    """
    label_id = derived_id(owner, kind)
    texts = [
        {"Label": text, "LanguageCode": lcid, "IsManaged": is_managed, "MetadataId": label_id, "HasChanged": None}
        for lcid, text in label.texts
    ]
    return {"LocalizedLabels": texts, "UserLocalizedLabel": texts[0] if texts else None}


def in_languages(value: object, languages: frozenset[int] | None) -> object:
    """Return a definition's value with the localized labels of some languages only, at whatever depth they stand.

    The caller's own label, `UserLocalizedLabel`, is no question of languages and stays.

    Args:
        value: a JSON-ready value.
        languages: LCIDs; None for all languages.
    """
    if languages is None:
        return value
    match value:
        case Mapping():
            return {
                name: _of_languages(member, languages) if name == "LocalizedLabels" else in_languages(member, languages)
                for name, member in value.items()
            }
        case list():
            return [in_languages(item, languages) for item in value]
        case _:
            return value


def _of_languages(labels: object, languages: frozenset[int]) -> list[Json]:
    assert isinstance(labels, list)
    return [label for label in labels if label["LanguageCode"] in languages]


def managed(name: str, *, value: object, can_change: bool = False) -> Json:
    """Return a managed property: its value, and whether a solution's user may change it."""
    return {"Value": value, "CanBeChanged": can_change, "ManagedPropertyLogicalName": name}


def option_value(option: Option | StateOption | StatusOption, *, owner: str, is_managed: bool) -> Json:
    """Return one option of a choice; states and status reasons say what they belong to."""
    specific: dict[str, object] = {}
    if isinstance(option, StatusOption):
        specific = {
            "@odata.type": f"#{WEB_API_NAMESPACE}.StatusOptionMetadata",
            "State": option.state,
            "TransitionData": None,
        }
    elif isinstance(option, StateOption):
        specific = {
            "@odata.type": f"#{WEB_API_NAMESPACE}.StateOptionMetadata",
            "DefaultStatus": option.default_status,
            "InvariantName": option.invariant_name,
        }
    return {
        **specific,
        "Value": option.value,
        "Color": option.color,
        "IsManaged": is_managed,
        "ExternalValue": (option.external_value if isinstance(option, Option) else None)
        or (None if is_managed else ""),
        "ParentValues": list(option.parent_values) if isinstance(option, Option) else [],
        "MetadataId": None,
        "HasChanged": None,
        "Label": label_value(option.label, owner=owner, kind=f"option/{option.value}", is_managed=is_managed),
        "Description": label_value(
            option.description, owner=owner, kind=f"described/{option.value}", is_managed=is_managed
        ),
    }
