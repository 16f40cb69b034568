"""The rows that an imported solution leaves: its publisher, itself, and which tables and choices are in it."""

from __future__ import annotations

from entities.messages import Create, Update, Written
from entities.pipeline import Operations
from entities.query import equals
from entities.standard.customization.components import of_choice, of_table
from entities.standard.customization.solution_components import put_component
from entities.standard.lookups import first
from entities.values import EntityReference, Guid, Record
from odata_server.admin.schema.solution_reading import Manifest, Solution


def add_solution_rows(system: Operations, file: Solution) -> None:
    """Add or update the publisher and the solution, and put what the file describes into the solution.

    Args:
        system: operations inside the running transaction; the tables are there already.
        file: the solution.
    """
    manifest = file.manifest
    if manifest is None or not manifest.unique_name:
        return
    publisher = _put(
        system,
        "publisher",
        manifest.publisher_name,
        {
            "friendlyname": manifest.publisher_friendly_name,
            "customizationprefix": manifest.prefix,
            "customizationoptionvalueprefix": manifest.option_value_prefix,
        },
    )
    solution = _put(system, "solution", manifest.unique_name, _solution(manifest, publisher))
    catalog = system.catalog
    for definition in file.tables:
        table = catalog.tables.get(str(definition["LogicalName"]))
        if table is not None and definition.get("Attributes"):
            put_component(system, solution.id, of_table(table))
    for option_set in file.option_sets:
        choice = catalog.choices.get(str(option_set.get("Name")))
        if choice is not None:
            put_component(system, solution.id, of_choice(choice))


def _solution(manifest: Manifest, publisher: EntityReference) -> Record:
    return {
        "friendlyname": manifest.friendly_name,
        "version": manifest.version,
        "publisherid": publisher,
        "isvisible": True,
    }


def _put(system: Operations, table: str, unique_name: str, record: Record) -> EntityReference:
    """Make a row that is known by its unique name, or change the one that is there."""
    known = first(system, table, equals("uniquename", unique_name))
    if known is None:
        made = system.execute(Create(table, {"uniquename": unique_name, **record}))
        assert isinstance(made, Written)
        return made.reference
    reference = EntityReference(table, Guid(str(known[f"{table}id"])))
    changed = {name: value for name, value in record.items() if name not in {"publisherid", "isvisible"}}
    system.execute(Update(reference, changed))
    return reference
