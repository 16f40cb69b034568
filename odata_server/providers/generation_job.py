"""Generate, refresh and remove the virtual tables of Human Resources, as the catalog's check boxes ask for it.

A PATCH of `mserp_hasbeengenerated` or `mserp_refresh` only queues a job; the table appears (or goes) when the job has
run, and callers poll its set (virtual-table catalog, "Visible" and "Refresh"). Repeating a job changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from entities.generation import CATALOG_TABLE, PROVIDER, virtual_name, virtual_relationships, virtual_table
from entities.messages import Update
from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.customization.new_tables import add_tables
from entities.standard.system_jobs import SystemJob, queue
from entities.values import EntityReference, Guid
from odata_server.engine.organization import OrganizationService
from odata_server.engine.transaction import Transaction
from security.privileges import privilege_records

JOB = "generate virtual table"
_SYSTEM_EVENT = 1


def generation_steps() -> tuple[Step, ...]:
    """Return the steps that turn the catalog's check boxes into jobs."""
    return (
        Step("Update", CATALOG_TABLE, Stage.PRE_OPERATION, _unset_refresh),
        Step("Update", CATALOG_TABLE, Stage.POST_OPERATION, _queue),
    )


def _unset_refresh(context: ExecutionContext) -> None:
    """`mserp_refresh` is a push button: it reads back false."""
    if context.record.get("mserp_refresh"):
        context.parameters = {"refresh": True}
        context.record["mserp_refresh"] = False


def _queue(context: ExecutionContext) -> None:
    asked = context.record.get("mserp_hasbeengenerated")
    if asked is None and not context.parameters.get("refresh"):
        return
    assert context.reference is not None
    source = str((context.pre_image or {}).get("mserp_physicalname"))
    job = SystemJob(f"Generate the virtual table of {source}", "Update", _SYSTEM_EVENT, context.reference)
    queue(context, JOB, {"catalog_id": context.reference.id}, job)


def run_generation(
    dataverse: OrganizationService, source_catalog: Callable[[], Catalog], payload: Mapping[str, object]
) -> None:
    """Bring one virtual table into the state that its catalog row asks for.

    Args:
        dataverse: the environment that holds the catalog and gets the table.
        source_catalog: the metadata of the environment behind.
        payload: `catalog_id`, the catalog row.
    """
    row_id = Guid(str(payload["catalog_id"]))
    sources = source_catalog()
    with dataverse.changing() as transaction:
        row = transaction.records(QueryExpression(CATALOG_TABLE, filter=equals(f"{CATALOG_TABLE}id", row_id)))[0]
        source = next(t for t in sources.tables.values() if t.schema_name == row["mserp_physicalname"])
        known = transaction.catalog.tables.get(virtual_name(source))
        if row["mserp_hasbeengenerated"]:
            _put(transaction, sources, source, known)
        elif known is not None:
            add_tables(transaction, CatalogChange(remove=(known.logical_name,)), privilege_records)
        name = virtual_name(source) if row["mserp_hasbeengenerated"] else None
        if row["mserp_cdsentitylogicalname"] != name:
            transaction.execute(Update(EntityReference(CATALOG_TABLE, row_id), {"mserp_cdsentitylogicalname": name}))


def _put(transaction: Transaction, sources: Catalog, source: Table, known: Table | None) -> None:
    generated = _generated(transaction.catalog, sources)
    relations = [r for r in sources.relationships.values() if isinstance(r, OneToMany)]
    table = virtual_table(source, relationships=relations, generated=generated)
    change = CatalogChange((table,), virtual_relationships(source, relations, generated))
    if known == table and all(transaction.catalog.relationships.get(r.schema_name) == r for r in change.relate):
        return
    add_tables(transaction, change, privilege_records)


def _generated(catalog: Catalog, sources: Catalog) -> frozenset[str]:
    """Return the source tables that have a virtual table now."""
    here = {t.logical_name for t in catalog.tables.values() if t.source and t.source.provider == PROVIDER}
    return frozenset(name for name, table in sources.tables.items() if virtual_name(table) in here)
