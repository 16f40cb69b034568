"""Deep insert on `/data`: a new row with the rows that are parts of it.

Finance and operations takes it over compositions only: rows whose key holds the key of the row they come with.
"""

from __future__ import annotations

from dataclasses import replace

from entities.errors import NotSupported
from entities.human_resources.model import is_composition
from entities.messages import Create, RelatedRecords
from entities.metadata.catalog import Catalog, CollectionNavigation
from entities.values import Value


def with_company(new: Create, catalog: Catalog, company: Value) -> Create:
    """Return a new row and its parts with a company, where their tables have one and they do not say which.

    Args:
        new: the row to make.
        catalog: the tables.
        company: that of the caller, or of the row that this one is part of.

    Raises:
        NotSupported: something comes with the row that is no part of it.
    """
    column = catalog.tables[new.table].company_column
    record = dict(new.record)
    if column is not None:
        company = record.setdefault(column, company)
    parts = tuple(_part(new.table, related, catalog, company) for related in new.related)
    return replace(new, record=record, related=parts)


def _part(table: str, related: RelatedRecords, catalog: Catalog, company: Value) -> RelatedRecords:
    navigation = catalog.navigation(table, related.navigation)
    is_part = isinstance(navigation, CollectionNavigation) and is_composition(navigation.relationship)
    if related.bound or not is_part:
        raise NotSupported(
            f"Only rows that are parts of a new one are created with it on /data (deep insert); '{related.navigation}'"
            " relates it to rows that stand on their own."
        )
    return replace(related, made=tuple(with_company(part, catalog, company) for part in related.made))
