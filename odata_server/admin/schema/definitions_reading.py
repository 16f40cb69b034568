"""Definitions as the Web API shows them (`GET EntityDefinitions?$expand=…`), as tables, relationships and choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Choice, Column, MoneyType, UniqueIdentifierType
from entities.metadata.labels import Label
from entities.metadata.relationships import (
    Cascade,
    CascadeConfiguration,
    ManyToMany,
    OneToMany,
    Relationship,
)
from entities.metadata.tables import AlternateKey, Ownership, Table, TableKind
from entities.standard.customization.system_columns import companions, references_of, system_columns
from entities.values import guid
from odata_server.admin.csdl_import import FIRST_OBJECT_TYPE_CODE, ImportedSchema
from odata_server.admin.schema.column_reading import ColumnScope, read_stored_column
from odata_server.admin.schema.findings import Findings, Json
from odata_server.admin.schema.kept_properties import with_kept_properties, with_kept_relation
from odata_server.admin.schema.pruning import pruned
from odata_server.bind.definitions.checking import checked
from odata_server.bind.definitions.choices import read_choice
from odata_server.bind.definitions.keys import KEY, read_key
from odata_server.bind.definitions.labels import read_label
from odata_server.bind.definitions.tables import ENTITY


class DefinitionFile(Protocol):
    """A file of definitions."""

    @property
    def tables(self) -> tuple[Json, ...]:
        """EntityMetadata objects with Attributes, Keys and relationships, as far as they are there."""
        ...

    @property
    def option_sets(self) -> tuple[Json, ...]:
        """OptionSetMetadata objects of global choices, besides those that columns have."""
        ...


_OWNERSHIPS: Final[Mapping[str, Ownership]] = {
    **{ownership.value: ownership for ownership in Ownership},
    "TeamOwned": Ownership.USER,
    "BusinessParented": Ownership.BUSINESS,
}
_OWNER: Final = "owner"
"""What Dataverse calls users and teams together; here the relationship of an owner names users."""
_ACTIONS: Final = ("assign", "delete", "merge", "reparent", "share", "unshare")


def read_definitions(file: DefinitionFile, catalog: Catalog, findings: Findings, *, completes: bool) -> ImportedSchema:
    """Return what definitions declare.

    Args:
        file: the definitions.
        catalog: the environment as it is; what definitions leave out stays.
        findings: gets what is guessed and refused.
        completes: whether new tables get the columns that every table has where the file leaves them out, as the
            import of a solution adds them.
    """
    found = [d for d in file.tables if d.get("LogicalName")]
    choices = {**catalog.choices, **_choices(found, file.option_sets, catalog, findings)}
    names = frozenset(str(d["LogicalName"]).lower() for d in found)
    known = frozenset(catalog.tables)
    tables = []
    for number, definition in enumerate(found):
        name = str(definition["LogicalName"]).lower()
        scope = ColumnScope(name, catalog.tables.get(name), choices, known | names, findings)
        table = findings.attempt(name, "", partial(_table, definition, scope, number))
        if table is not None:
            whole = _completed(table) if completes and name not in known else table
            tables.append(with_kept_properties(whole, definition))
    there = {**catalog.tables, **{table.logical_name: table for table in tables}}
    related = {r.schema_name: r for d in found for r in _relationships(d, catalog, there, findings)}
    led = {(r.referencing_table, r.referencing_column) for r in related.values() if isinstance(r, OneToMany)}
    for table in (table for table in tables if completes and table.logical_name not in known):
        usual = (r for r in references_of(table) if (r.referencing_table, r.referencing_column) not in led)
        related.update((r.schema_name, r) for r in usual if r.schema_name not in related)
    stated = {name: choice for name, choice in choices.items() if catalog.choices.get(name) != choice}
    return ImportedSchema(tuple(tables), tuple(related.values()), tuple(stated.values()))


def _completed(table: Table) -> Table:
    """Return a new table with the columns that every table has."""
    if table.kind is not TableKind.STANDARD:
        return table
    missing = tuple(column for column in system_columns(table) if column.logical_name not in table.by_name)
    own = (c for c in table.columns if c.is_custom and (c.valid_for_create or not isinstance(c.type, MoneyType)))
    whole = replace(table, columns=(*table.columns, *missing))
    extra = {c.logical_name: c for column in own for c in companions(whole, column)}
    further = tuple(column for name, column in extra.items() if name not in whole.by_name)
    return replace(whole, columns=(*whole.columns, *further))


def _choices(
    definitions: Iterable[Json], option_sets: Iterable[Json], catalog: Catalog, findings: Findings
) -> dict[str, Choice]:
    """Return the global choices that a file describes, with their options."""
    found = {}
    for body in (*option_sets, *_global_sets(definitions)):
        name = str(body.get("Name") or "")
        if name in found or not isinstance(body.get("Options"), list):
            continue
        read = findings.attempt("", name, partial(_choice, body, catalog.choices.get(name)))
        if read is not None:
            found[name] = read
    return found


def _global_sets(definitions: Iterable[Json]) -> Iterator[Json]:
    for definition in definitions:
        for attribute in definition.get("Attributes") or ():
            for member in ("GlobalOptionSet", "OptionSet"):
                body = attribute.get(member)
                if isinstance(body, dict) and body.get("IsGlobal") and body.get("Options"):
                    yield body


def _choice(body: Json, known: Choice | None) -> Choice:
    choice = read_choice(checked(pruned(body, "OptionSetMetadata"), "OptionSetMetadata"))
    identifier = known.metadata_id if known is not None else guid(str(body.get("MetadataId") or ""))
    return replace(choice, name=str(body["Name"]), metadata_id=identifier)


def _table(definition: Json, scope: ColumnScope, number: int) -> Table | None:
    """Return a table; None where it is new and cannot be taken."""
    columns = tuple(_columns(definition, scope))
    before = scope.known
    if before is None:
        if definition.get("DataProviderId") or definition.get("TableType") == "Virtual":
            raise InvalidArgument("It is a virtual table: add its data provider and generate it.")
        before = _new(definition, scope.table, columns, number)
    members = checked(pruned({n: v for n, v in definition.items() if n in _LABELS}, ENTITY), ENTITY)
    table = replace(
        before,
        columns=_laid_over(before.columns, columns),
        display_name=_label(members.get("DisplayName"), before.display_name),
        plural_name=_label(members.get("DisplayCollectionName"), before.plural_name),
        description=_label(members.get("Description"), before.description),
        keys=_keys(definition, before, scope.findings),
        change_tracking=_said(definition, "ChangeTrackingEnabled", current=before.change_tracking),
        has_notes=_said(definition, "HasNotes", current=before.has_notes),
        has_activities=_said(definition, "HasActivities", current=before.has_activities),
    )
    _check_columns(table)
    return table


_LABELS: Final = frozenset({"DisplayName", "DisplayCollectionName", "Description"})


def _columns(definition: Json, scope: ColumnScope) -> Iterator[Column]:
    attributes = definition.get("Attributes") or []
    if not all(isinstance(attribute, dict) for attribute in attributes):
        raise InvalidArgument("Attributes is no array of objects.")
    # Answers list columns by name; their numbers say in which order they are in the table.
    for attribute in sorted(attributes, key=lambda found: found.get("ColumnNumber") or 0):
        name = str(attribute.get("LogicalName") or "")
        column = scope.findings.attempt(scope.table, name, partial(read_stored_column, attribute, scope))
        if column is not None:
            yield column


def _laid_over(before: tuple[Column, ...], read: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return columns in the order in which they were, those of the file in place of those of their names."""
    by_name = {column.logical_name: column for column in before}
    by_name.update((column.logical_name, column) for column in read)
    return tuple(by_name.values())


def _new(definition: Json, name: str, columns: tuple[Column, ...], number: int) -> Table:
    primary_name = str(definition.get("PrimaryNameAttribute") or "").lower()
    named = {column.logical_name for column in columns}
    is_activity = definition.get("IsActivity") is True
    code = definition.get("ObjectTypeCode")
    kind = TableKind.INTERSECT if definition.get("IsIntersect") is True else TableKind.STANDARD
    return Table(
        name,
        str(definition.get("SchemaName") or name),
        str(definition.get("EntitySetName") or definition.get("LogicalCollectionName") or f"{name}s"),
        code if isinstance(code, int) and code > 0 else FIRST_OBJECT_TYPE_CODE + number,
        str(definition.get("PrimaryIdAttribute") or f"{name}id").lower(),
        primary_name if primary_name in named else None,
        columns,
        Label(),
        Label(),
        ownership=_OWNERSHIPS.get(str(definition.get("OwnershipType")), Ownership.ORGANIZATION),
        kind=kind,
        base_type="activitypointer" if is_activity else None,
        is_custom=_said(definition, "IsCustomEntity", current=True),
        is_private=_said(definition, "IsPrivate", current=False),
        metadata_id=guid(str(definition.get("MetadataId") or "")),
        is_activity=is_activity,
    )


def _check_columns(table: Table) -> None:
    """Refuse a table without what every table has.

    Raises:
        InvalidArgument: it has no column for its id.
    """
    column = table.by_name.get(table.primary_id)
    if column is None or not isinstance(column.type, UniqueIdentifierType):
        raise InvalidArgument(
            f"The file does not describe the whole table: its id '{table.primary_id}' is missing, and the environment "
            "has no table of this name."
        )


def _said(definition: Json, name: str, *, current: bool) -> bool:
    value = definition.get(name)
    return value if isinstance(value, bool) else current


def _label(members: Json | None, current: Label) -> Label:
    return current if members is None else read_label(members)


def _keys(definition: Json, before: Table, findings: Findings) -> tuple[AlternateKey, ...]:
    keys = {key.logical_name: key for key in before.keys}
    for body in definition.get("Keys") or ():
        name = str(body.get("LogicalName") or body.get("SchemaName") or "").lower()
        read = findings.attempt(before.logical_name, name, partial(read_key, pruned(body, KEY)))
        if read is None:
            continue
        known = keys.get(name)
        identifier = known.metadata_id if known is not None else guid(str(body.get("MetadataId") or ""))
        further = known.further if known is not None else ()
        keys[name] = replace(read, logical_name=name, metadata_id=identifier, further=further)
    return tuple(keys.values())


def _relationships(
    definition: Json, catalog: Catalog, tables: Mapping[str, Table], findings: Findings
) -> Iterator[Relationship]:
    for collection in ("ManyToOneRelationships", "OneToManyRelationships"):
        for body in definition.get(collection) or ():
            yield from _one_to_many(body, catalog, tables, findings)
    for body in definition.get("ManyToManyRelationships") or ():
        yield from _many_to_many(body, catalog, tables)


def _one_to_many(
    body: Json, catalog: Catalog, tables: Mapping[str, Table], findings: Findings
) -> Iterator[Relationship]:
    name, known = str(body.get("SchemaName") or ""), catalog.relationships.get(str(body.get("SchemaName") or ""))
    if _lower(body, "ReferencedEntity") == _OWNER:
        body = {**body, "ReferencedEntity": "systemuser", "ReferencedAttribute": "systemuserid"}
    cascade = findings.attempt(
        str(body.get("ReferencingEntity") or ""), name, partial(_cascade, body.get("CascadeConfiguration") or {}, known)
    )
    if cascade is None or _lower(body, "ReferencedEntity") not in tables:
        return
    hierarchical = body.get("IsHierarchical") is True
    if isinstance(known, OneToMany):
        yield with_kept_relation(replace(known, cascade=cascade, is_hierarchical=hierarchical), body)
    elif _lower(body, "ReferencingEntity") in tables:
        column = str(body.get("ReferencingAttribute") or "")
        made = OneToMany(
            name,
            _lower(body, "ReferencedEntity"),
            _lower(body, "ReferencedAttribute"),
            _lower(body, "ReferencingEntity"),
            column.lower(),
            str(body.get("ReferencingEntityNavigationPropertyName") or column),
            str(body.get("ReferencedEntityNavigationPropertyName") or name),
            cascade,
            is_custom=body.get("IsCustomRelationship") is True,
            metadata_id=guid(str(body.get("MetadataId") or "")),
            is_hierarchical=hierarchical,
        )
        yield with_kept_relation(made, body)


def _cascade(body: Json, known: Relationship | None) -> CascadeConfiguration:
    before = known.cascade if isinstance(known, OneToMany) else CascadeConfiguration()
    behaviors = {behavior.value: behavior for behavior in Cascade}
    given = {}
    for action in _ACTIONS:
        stated = body.get(action.capitalize())
        if stated is None:
            continue
        if stated not in behaviors:
            raise InvalidArgument(f"'{stated}' is no cascading behavior.")
        given[action] = behaviors[stated]
    return replace(before, **given)


def _many_to_many(body: Json, catalog: Catalog, tables: Mapping[str, Table]) -> Iterator[Relationship]:
    name = str(body.get("SchemaName") or "")
    known = catalog.relationships.get(name)
    if isinstance(known, ManyToMany):
        yield with_kept_relation(known, body)
    elif {_lower(body, f"Entity{end}LogicalName") for end in "12"} <= tables.keys():
        made = ManyToMany(
            name,
            _lower(body, "IntersectEntityName"),
            _lower(body, "Entity1LogicalName"),
            _lower(body, "Entity1IntersectAttribute"),
            str(body.get("Entity1NavigationPropertyName") or name),
            _lower(body, "Entity2LogicalName"),
            _lower(body, "Entity2IntersectAttribute"),
            str(body.get("Entity2NavigationPropertyName") or name),
            is_custom=body.get("IsCustomRelationship") is True,
            metadata_id=guid(str(body.get("MetadataId") or "")),
        )
        yield with_kept_relation(made, body)


def _lower(body: Json, name: str) -> str:
    return str(body.get(name) or "").lower()
