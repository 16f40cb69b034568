"""Option sets in request bodies: the choice of a column, its own or a global one, and global choices themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument, RecordNotFound
from entities.metadata.columns import BooleanType, Choice, Option
from entities.metadata.ids import choice_id
from entities.metadata.labels import Label
from odata_server.bind.definitions.checking import TYPE, Members, misfit
from odata_server.bind.definitions.labels import read_label

FIRST_VALUE: Final = 100_000_000
"""The first value of an option that has none: the option value prefix of the default publisher times 10,000."""

_URL: Final = re.compile(
    r"(?:.*/)?GlobalOptionSetDefinitions\((?:(?P<id>[0-9A-Fa-f-]{36})|MetadataId=(?P<named_id>[0-9A-Fa-f-]{36})"
    r"|Name='(?P<name>(?:[^']|'')*)')\)\Z"
)


def read_choice(members: Members, before: Choice | None = None) -> Choice:
    """Return a global choice.

    Args:
        members: a checked OptionSetMetadata.
        before: the choice as it is, when it is changed; its options change through actions of their own.

    Raises:
        InvalidArgument: two options have the same value (0x80044310), or the name is missing.
        InvalidPayload: it is no option set with options.
    """
    if members[TYPE] != "OptionSetMetadata":
        raise misfit(members[TYPE], "A global option set is an OptionSetMetadata.")
    base = before or Choice(str(members.get("Name", "")), (), is_global=True)
    label = read_label(members["DisplayName"]) if "DisplayName" in members else base.display_name
    description = read_label(members["Description"]) if "Description" in members else base.description
    options = base.options if before is not None else read_options(members)
    return replace(
        base,
        options=options,
        display_name=label,
        description=description,
        is_global=True,
        external_type_name=members.get("ExternalTypeName", base.external_type_name),
    )


def read_options(members: Members) -> tuple[Option, ...]:
    """Return the options of an option set; one without a value gets the next that is free.

    Raises:
        InvalidArgument: two have the same value (0x80044310), or one has none that is possible (0x8004431a).
    """
    given = members.get("Options", ())
    taken = {option["Value"] for option in given if "Value" in option}
    if len(taken) < sum("Value" in option for option in given):
        raise InvalidArgument("The picklist value already exists.  Picklist values must be unique.", code="0x80044310")
    if any(value < 0 for value in taken):
        raise InvalidArgument("The picklist value is out of the range.", code="0x8004431a")
    options, following = [], FIRST_VALUE
    for option in given:
        value = option.get("Value")
        if value is None:
            while following in taken:
                following += 1
            value, following = following, following + 1
        options.append(_option(option, value))
    return tuple(options)


def _option(members: Members, value: int) -> Option:
    label, description = (
        read_label(members[name]) if name in members else Label() for name in ("Label", "Description")
    )
    parents = tuple(members.get("ParentValues", ()))
    return Option(value, label, members.get("ExternalValue"), description, members.get("Color"), parents)


def read_boolean_options(members: Members, before: BooleanType) -> BooleanType:
    """Return a yes/no type with the labels of a BooleanOptionSetMetadata.

    Raises:
        InvalidArgument: an option has another value than 1 and 0 (0x8004431c).
    """
    labels = {}
    for name, value, label in (("TrueOption", 1, before.true_label), ("FalseOption", 0, before.false_label)):
        option = members.get(name, {})
        if option.get("Value", value) != value:
            raise InvalidArgument("Boolean attribute options must have a value of either 0 or 1.", code="0x8004431c")
        labels[name] = read_label(option["Label"]) if "Label" in option else label
    return replace(before, true_label=labels["TrueOption"], false_label=labels["FalseOption"])


def chosen(members: Members, choices: Mapping[str, Choice], local: str) -> Choice:
    """Return the choice of a column: a global one that it names, else its own.

    Args:
        members: a checked PicklistAttributeMetadata or MultiSelectPicklistAttributeMetadata.
        choices: the global choices by name.
        local: what the column's own choice is called.

    Raises:
        InvalidArgument: the column has no options, or names two choices.
        RecordNotFound: there is no such global choice.
    """
    url = members.get("GlobalOptionSet@odata.bind")
    if url is not None:
        return _at(url, choices)
    stated = members.get("GlobalOptionSet") or members.get("OptionSet")
    if stated is None:
        raise InvalidArgument("The attribute has no option set.", code="0x80048403")
    if stated.get("IsGlobal") or "GlobalOptionSet" in members:
        return _named(str(stated.get("Name", "")), str(stated.get("MetadataId", "")), choices)
    if stated[TYPE] != "OptionSetMetadata" and "Options" not in stated:
        raise misfit(stated[TYPE], "The option set of a choice is an OptionSetMetadata.")
    return Choice(local, read_options(stated))


def _at(url: str, choices: Mapping[str, Choice]) -> Choice:
    found = _URL.match(url)
    if found is None:
        raise InvalidArgument(f"'{url[:200]}' is no URL of a global option set.")
    return _named((found["name"] or "").replace("''", "'"), found["id"] or found["named_id"] or "", choices)


def _named(name: str, metadata_id: str, choices: Mapping[str, Choice]) -> Choice:
    if name in choices:
        return choices[name]
    wanted = metadata_id.lower()
    for choice in choices.values():
        if wanted and choice_id(choice) == wanted:
            return choice
    raise RecordNotFound(f"Could not find an OptionSet with Name = '{name[:200]}' and Id = '{wanted}'.")
