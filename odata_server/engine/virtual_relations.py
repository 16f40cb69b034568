"""Relations between records of virtual tables: the lookup behind them is written by the data provider.

A virtual table has no intersect tables, and no transaction spans its source and this database (Learn: "Create and edit
virtual tables", "Considerations and limitations of virtual tables").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, assert_never

from entities.errors import InvalidOperation, NotSupported
from entities.messages import Update
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.query import QueryExpression, equals
from entities.values import EntityReference
from entities.virtual import DataProvider
from odata_server.engine.references import not_found
from odata_server.engine.relations import Link, PairChange, change_of, proof_of, unrelated

MANY_TO_MANY: Final = "0x80044820"

ProviderOf: TypeAlias = Callable[[Table], DataProvider]
"""The provider behind a virtual table."""


def relate(link: Link, catalog: Catalog, provider_of: ProviderOf, caller: Caller) -> None:
    """Make or end a relation of a virtual table's record.

    Args:
        link: the relation; its caller is authorized for it.
        catalog: tables and relationships.
        provider_of: gives the provider behind a virtual table.
        caller: for whom the provider writes.

    Raises:
        InvalidOperation: the relationship is many-to-many (0x80044820).
        RecordNotFound: a record does not exist, or there is no such relation to end.
        NotSupported: one of the records is in this database.
        DataverseError: the source refuses.
    """
    change = change_of(link)
    match change:
        case PairChange():
            raise InvalidOperation("An N:N relationship between virtual entities is not supported.", code=MANY_TO_MANY)
        case Update(target=EntityReference() as target, record=record):
            others = [end for end in (link.target, link.related) if end is not None and end != target]
            for end in (target, *others):
                _check_virtual(catalog.tables[end.table])
            for end in others:
                _check_exists(catalog.tables[end.table], end, provider_of, caller)
            _check_related(link, catalog, provider_of, caller)
            table = catalog.tables[target.table]
            provider_of(table).update(table, target.id, record, caller)
        case Update():
            raise AssertionError("A link holds references by id.")
        case _:
            assert_never(change)


def _check_virtual(table: Table) -> None:
    if table.source is None:
        raise NotSupported(
            f"A relation between a virtual table and the native table '{table.logical_name}' is not supported yet."
        )


def _check_exists(table: Table, record: EntityReference, provider_of: ProviderOf, caller: Caller) -> None:
    query = QueryExpression(table.logical_name, (table.primary_id,), filter=equals(table.primary_id, record.id))
    if not provider_of(table).retrieve_multiple(table, query, caller).count:
        raise not_found(table, record.id)


def _check_related(link: Link, catalog: Catalog, provider_of: ProviderOf, caller: Caller) -> None:
    """Refuse to end the relation of a child that is another parent's."""
    proof = proof_of(link, catalog)
    if proof is None or link.related is None:
        return
    table = catalog.tables[link.related.table]
    if not provider_of(table).retrieve_multiple(table, proof, caller).count:
        raise unrelated(link.related)
