"""A new record with those that come with it, to any depth (Learn: "Create related table rows in one operation").

What a lookup of the record points to is made before it; what belongs to its collections is made or related after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from entities.messages import Associate, Create, RelatedRecords, Target, Written
from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation
from entities.values import EntityReference


@dataclass(frozen=True, slots=True)
class Writing:
    """How one record is made and how two are related, inside the running transaction and for its caller."""

    catalog: Catalog
    create: Callable[[Create], Written]
    relate: Callable[[Associate], object]


def create_with_related(message: Create, writing: Writing) -> Written:
    """Make a record and everything that comes with it.

    Args:
        message: the record; the records in `related` may have related ones of their own.
        writing: how.

    Raises:
        DataverseError: one of the records or relations is refused.
    """
    if not message.related:
        return writing.create(message)
    navigations = writing.catalog.navigations[message.table]
    record = dict(message.record)
    for related in message.related:
        navigation = navigations[related.navigation]
        if isinstance(navigation, LookupNavigation):
            (new,) = related.made
            record[navigation.relationship.referencing_column] = create_with_related(new, writing).reference
    written = writing.create(replace(message, record=record, related=()))
    for related in message.related:
        _relate(written.reference, related, writing)
    return written


def _relate(made: EntityReference, related: RelatedRecords, writing: Writing) -> None:
    """Make the records of a collection, and relate these and existing ones to the record that has just been made."""
    navigation = writing.catalog.navigations[made.table][related.navigation]
    others: tuple[Target, ...] = related.bound
    match navigation:
        case LookupNavigation():
            return
        case CollectionNavigation(relationship=relationship):
            for new in related.made:
                pointing = {**new.record, relationship.referencing_column: made}
                create_with_related(replace(new, record=pointing), writing)
        case ManyToManyNavigation():
            others = (*(create_with_related(new, writing).reference for new in related.made), *others)
        case _:
            assert_never(navigation)
    for other in others:
        writing.relate(Associate(made, related.navigation, other))
