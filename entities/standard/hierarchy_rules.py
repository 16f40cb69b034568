"""No record stands above itself: a new parent that is the record, or below it, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.metadata.relationships import Cascade
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.lookups import by_id
from entities.values import EntityReference

_LOOP: Final = "Creating this parental association would create a loop in {} hierarchy."
_MANAGED: Final = (
    "You cannot set the selected user as the manager for this user because the selected user is either already the"
    " manager or is in the user's immediate management hierarchy.  Either select another user to be the manager or do"
    " not update the record."
)
_OF_ANY_TABLE: Final = ("0x80040387", _LOOP.format("this entity"))
_OF_TABLE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "account": ("0x80040507", _LOOP.format("Accounts")),
        "contact": ("0x8004050a", _LOOP.format("Contacts")),
        "systemuser": ("0x80041d25", _MANAGED),
    }
)
_WITH_OWN_RULE: Final = frozenset({"businessunit"})
"""Tables whose own rules say this in other words."""


def hierarchy_steps() -> tuple[Step, ...]:
    """Return the step that keeps hierarchies free of loops."""
    return (Step("Update", None, Stage.PRE_OPERATION, check_parent),)


def check_parent(context: ExecutionContext) -> None:
    """Refuse a parent that is the record itself or below it.

    Raises:
        InvalidArgument: the lookup would close a loop.
    """
    record = context.reference
    if record is None or record.table in _WITH_OWN_RULE:
        return
    for column, parent in context.record.items():
        if not isinstance(parent, EntityReference) or parent.table != record.table:
            continue
        if _is_parental(context.system.catalog, record.table, column) and _is_below(context, column, parent, record):
            code, text = _OF_TABLE.get(record.table, _OF_ANY_TABLE)
            raise InvalidArgument(text, code=code)


def _is_parental(catalog: Catalog, table: str, column: str) -> bool:
    """Tell a lookup to a parent from a mere link between records of one table."""
    relationships = (navigation.relationship for navigation in catalog.lookup_navigations(table, column))
    return any(
        relationship.is_hierarchical or relationship.cascade.reparent is Cascade.CASCADE
        for relationship in relationships
        if relationship.referenced_table == table
    )


def _is_below(context: ExecutionContext, column: str, start: EntityReference, top: EntityReference) -> bool:
    seen: set[EntityReference] = set()
    above: object = start
    while isinstance(above, EntityReference) and above.table == top.table and above not in seen:
        if above == top:
            return True
        seen.add(above)
        above = by_id(context.system, above, column).get(column)
    return False
