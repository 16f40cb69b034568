"""Names of new definitions: prefix, characters, length, and that nothing has them yet.

Learn: "Create a solution" (prefixes of publishers) and the error codes 0x80044361 to 0x80044367.
"""

from __future__ import annotations

import re
from typing import Final

from entities.errors import DataverseError, InvalidArgument
from entities.metadata.declare import derived_id
from entities.pipeline import Operations
from entities.query import ALL_ROWS, QueryExpression
from entities.values import Guid

LONGEST_TABLE: Final = 64
LONGEST_COLUMN: Final = 128
LONGEST_OTHER: Final = 100

_LETTER: Final = re.compile(r"[A-Za-z]", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_]+\Z", re.ASCII)
_PREFIXED: Final = re.compile(r"\A([A-Za-z][A-Za-z0-9]{1,7})_(?=[A-Za-z0-9_])", re.ASCII)
_PREFIXED_INSIDE: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{1,7})_(?=[A-Za-z0-9_])", re.ASCII)
"""Microsoft's client for Python names a relationship after both tables: `account_new_order_new_accountid`."""

_IDS: Final = "$metadata_id"
"""The sequence that makes ids of definitions of one name different."""


def check_name(system: Operations, name: str, kind: str, longest: int) -> None:
    """Check the schema name of a new definition.

    Args:
        system: the transaction's operations.
        name: the schema name.
        kind: what it is the name of, as refusals write it: Entity, Attribute, EntityKey, OptionSet, Relationship.
        longest: how long it may be.

    Raises:
        InvalidArgument: it does not begin with a letter (0x80044365), has another character than letters, digits and
            underscores (0x80044364), is too long (0x80044367) or has no prefix of a publisher (0x80044366).
    """
    refused = _defect(name, kind, longest)
    if refused is not None:
        raise refused
    prefixed = _PREFIXED_INSIDE if kind == "Relationship" else _PREFIXED
    if _prefixes(system).isdisjoint(prefix.lower() for prefix in prefixed.findall(name)):
        raise InvalidArgument(
            f"The schema name {name} for type {kind} is invalid or missing. Custom attribute, entity, entitykey, "
            "option set and relationship names must start with a valid customization prefix. The prefix for a solution "
            "component should match the prefix that is specified for the publisher of the solution.",
            code="0x80044366",
        )


def has_prefix(system: Operations, name: str) -> bool:
    """Say whether a name begins with the prefix of a publisher, as those do that somebody has given."""
    return not _prefixes(system).isdisjoint(prefix.lower() for prefix in _PREFIXED.findall(name))


def check_characters(name: str, kind: str, longest: int) -> None:
    """Check a name that needs no prefix: of an entity set, of a navigation property.

    Raises:
        InvalidArgument: as `check_name`, but for the prefix.
    """
    refused = _defect(name, kind, longest)
    if refused is not None:
        raise refused


def _defect(name: str, kind: str, longest: int) -> DataverseError | None:
    if not name:
        return None
    if _LETTER.match(name) is None:
        text = (
            f"Identifers should start with a letter. The schema name {name} for type {kind} doesn't start with letter."
        )
        return InvalidArgument(text, code="0x80044365")
    if _PLAIN.match(name) is None:
        text = f"Identifier {name} for type {kind} can only consist of alpha-numeric and underscore characters."
        return InvalidArgument(text, code="0x80044364")
    if len(name) > longest:
        text = (
            f"Identifiers cannot be more than {longest} characters long. The provided schema name {name} length for "
            f"type {kind} is greater than maxlength {longest} characters."
        )
        return InvalidArgument(text, code="0x80044367")
    return None


def _prefixes(system: Operations) -> frozenset[str]:
    """Return the prefixes of all publishers."""
    rows = system.records(QueryExpression("publisher", ("customizationprefix",), filter=ALL_ROWS))
    return frozenset(str(row.get("customizationprefix") or "").lower() for row in rows)


def not_unique(name: str, kind: str) -> InvalidArgument:
    """Return the refusal of a schema name that another definition has."""
    return InvalidArgument(
        f"The schema name {name} for type {kind} is not unique. An {name} with same name already exists.",
        code="0x80044363",
    )


def new_metadata_id(system: Operations, *names: str) -> Guid:
    """Return the id of a new definition: none that went has had it, though it may have had the names."""
    return derived_id(*names, str(system.next_number(_IDS)))
