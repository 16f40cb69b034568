"""Activity tables that somebody makes: the columns of the activity pointer, and the relationships that come with them.

Learn: "Custom activities in Microsoft Dataverse". The names are made as those of Dataverse's own activities are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, StringType
from entities.metadata.declare import date_time, integer
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.metadata.tables import Table
from entities.standard.customization.regarding import with_target
from entities.standard.customization.system_columns import plural
from entities.standard.references import system_references

ACTIVITY: Final = "activitypointer"
SUBJECT: Final = "subject"
_PARTY: Final = "activityparty"
_REGARDING: Final = "regardingobjectid"
_WITH_ACTIVITY: Final = CascadeConfiguration(delete=Cascade.CASCADE)


def as_activity(table: Table) -> Table:
    """Return a new table as an activity: its id and its name are those of all activities."""
    return replace(table, primary_id="activityid", primary_name=SUBJECT, base_type=ACTIVITY)


def own_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns of a new activity that are its own: the subject that it may bring is that of all of them."""
    return tuple(column for column in table.columns if column.logical_name != SUBJECT)


def activity_columns(catalog: Catalog, asked: Table) -> tuple[Column, ...]:
    """Return the columns that activities have.

    Args:
        catalog: the definitions that there are.
        asked: the new table; it may say how long its subject is.
    """
    base = catalog.tables[ACTIVITY]
    subject = asked.by_name.get(SUBJECT)
    columns = tuple(replace(column, metadata_id=None) for column in base.columns)
    if subject is not None and isinstance(subject.type, StringType):
        given = replace(base.by_name[SUBJECT], type=subject.type, metadata_id=None)
        columns = tuple(given if column.logical_name == SUBJECT else column for column in columns)
    return (
        *columns,
        date_time("OverriddenCreatedOn", "Record Created On", valid_for_update=False),
        integer("ImportSequenceNumber", "Import Sequence Number", valid_for_update=False),
    )


def activity_references(catalog: Catalog, table: Table) -> Iterator[OneToMany]:
    """Yield the relationships of the lookups that a new activity has from the activity pointer."""
    name = table.logical_name
    system = {one.referencing_column: one for one in system_references(table)}
    for one in system.values():
        yield replace(one, referencing_navigation=f"{one.referencing_column}_{name}", is_custom=True)
    for known in catalog.relationships_of(ACTIVITY):
        if (
            not isinstance(known, OneToMany)
            or known.referencing_table != ACTIVITY
            or known.referencing_column in system
        ):
            continue
        target, column = known.referenced_table, known.referencing_column
        is_regarding = column == _REGARDING
        schema_name = f"{target}_{plural(name)}" if is_regarding else f"{target}_{name}_{column}"
        yield replace(
            known,
            schema_name=schema_name,
            referencing_table=name,
            referencing_navigation=f"{column}_{target}_{name}" if is_regarding else f"{column}_{name}",
            referenced_navigation=schema_name,
            is_custom=True,
            metadata_id=None,
            further=(),
        )


def party_lists(catalog: Catalog, table: Table) -> tuple[tuple[Table, OneToMany], ...]:
    """Return the table of those who take part in activities, which can lead to the new one, with the relationship."""
    party = catalog.tables.get(_PARTY)
    if party is None:
        return ()
    name = table.logical_name
    schema_name = f"{name}_activity_parties"
    relationship = OneToMany(
        schema_name,
        name,
        table.primary_id,
        _PARTY,
        "activityid",
        f"activityid_{name}",
        schema_name,
        _WITH_ACTIVITY,
        is_custom=True,
    )
    return ((with_target(party, "activityid", name), relationship),)
