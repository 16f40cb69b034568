"""Definitions of virtual tables from the data entities of Human Resources (domain rule d.1).

Generating is a pure function: the same source gives the same table, ids of metadata included, so a refresh replaces
the definition and duplicates nothing. What the rule drops: types that virtual tables do not know, row versions, keys
and ownership (Learn: "Virtual entity modeling" of finance and operations). The lookup from `mshr_dataareaid` to
`cdm_company` is left out as long as no such table exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Final, assert_never

from entities.human_resources.model import PUBLIC_TABLES
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Choice,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.declare import SERVER_SET, derived_id, lookup, primary_id, string, with_ids
from entities.metadata.labels import ENGLISH, Label
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.metadata.tables import ExternalSource, Ownership, Table, TableKind
from entities.values import Guid, Record

PREFIX: Final = "mshr_"
"""The prefix of Human Resources' virtual tables; it cannot be changed (b.10)."""

PROVIDER: Final = "finance_operations"
DATA_PROVIDER_ID: Final = derived_id("entitydataprovider", PROVIDER)
DATA_SOURCE_ID: Final = derived_id("entitydatasource", PROVIDER)

CATALOG_TABLE: Final = "mserp_financeandoperationsentity"

FIRST_OPTION: Final = 200_000_000
"""Options of generated choices count from here, in the order of the source's."""

FIRST_OBJECT_TYPE_CODE: Final = 10_000
_LONGEST_RELATION: Final = 92
_PRIMARY_FIELD_LENGTH: Final = 255


def virtual_name(source: Table, prefix: str = PREFIX) -> str:
    """Return the logical name that a source's virtual table has."""
    return prefix + source.logical_name


def virtual_set(source: Table, prefix: str = PREFIX) -> str:
    """Return the entity set that a source's virtual table has: the logical name in the plural."""
    name = virtual_name(source, prefix)
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def virtual_table(
    source: Table,
    *,
    prefix: str = PREFIX,
    relationships: Iterable[OneToMany] = (),
    generated: Collection[str] = (),
) -> Table:
    """Return the virtual table of a source table.

    Args:
        source: a public data entity.
        prefix: what all names begin with.
        relationships: the source environment's relationships; a lookup is made for each whose target is generated.
        generated: logical names of the source tables that are generated, this one included or not.
    """
    lookups = {
        r.referencing_column for r in _possible(source, relationships, {*generated, source.logical_name}, prefix)
    }
    columns = [
        _virtual_column(column, type_, prefix)
        for column in source.columns
        if column.valid_for_read
        and (column.logical_name in lookups or not isinstance(column.type, LookupType))
        and (type_ := _virtual_type(column.type, prefix)) is not None
    ]
    is_single = _has_single_text_key(source)
    name = virtual_name(source, prefix)
    primary = prefix + source.natural_key[0] if is_single else f"{prefix}primaryfield"
    return with_ids(
        Table(
            logical_name=name,
            schema_name=prefix + source.schema_name,
            entity_set_name=virtual_set(source, prefix),
            object_type_code=FIRST_OBJECT_TYPE_CODE + (source.record_number or source.object_type_code),
            primary_id=f"{name}id",
            primary_name=primary,
            columns=(
                _primary_id(source, prefix),
                *(() if is_single else (_primary_field(prefix),)),
                *columns,
            ),
            display_name=source.display_name,
            plural_name=source.plural_name,
            description=source.description,
            ownership=Ownership.ORGANIZATION,
            kind=TableKind.VIRTUAL,
            source=ExternalSource(
                PROVIDER, source.schema_name, source.entity_set_name, DATA_PROVIDER_ID, DATA_SOURCE_ID
            ),
            is_custom=True,
            change_tracking=False,
            optimistic_concurrency=False,
        )
    )


def virtual_relationships(
    source: Table, relationships: Iterable[OneToMany], generated: Collection[str], *, prefix: str = PREFIX
) -> tuple[OneToMany, ...]:
    """Return the relationships of a source's virtual table to other generated tables.

    Args:
        source: the referencing data entity.
        relationships: the source environment's relationships.
        generated: logical names of the source tables that are generated.
        prefix: what all names begin with.
    """
    return tuple(
        OneToMany(
            schema_name=prefix + r.schema_name,
            referenced_table=prefix + r.referenced_table,
            referenced_column=f"{prefix}{r.referenced_column}",
            referencing_table=prefix + r.referencing_table,
            referencing_column=prefix + r.referencing_column,
            referencing_navigation=prefix + source.by_name[r.referencing_column].schema_name,
            referenced_navigation=prefix + r.schema_name,
            cascade=CascadeConfiguration(delete=Cascade.NO_CASCADE),
            is_custom=True,
            metadata_id=derived_id("relationship", prefix + r.schema_name),
        )
        for r in _possible(source, relationships, {*generated, source.logical_name}, prefix)
    )


def _possible(
    source: Table, relationships: Iterable[OneToMany], generated: Collection[str], prefix: str
) -> tuple[OneToMany, ...]:
    return tuple(
        r
        for r in relationships
        if r.referencing_table == source.logical_name
        and r.referenced_table in generated
        and len(prefix + r.schema_name) <= _LONGEST_RELATION
    )


def _has_single_text_key(source: Table) -> bool:
    key = source.natural_key
    return len(key) == 1 and isinstance(source.by_name[key[0]].type, StringType)


def _primary_id(source: Table, prefix: str) -> Column:
    """Declare the id, which is the source row's and never the caller's to choose."""
    made = primary_id(f"{prefix}{source.schema_name}Id", source.display_name.text() or "")
    return replace(made, valid_for_create=False, is_custom=True)


def _primary_field(prefix: str) -> Column:
    """Declare the primary name of a table with a composite key: its key fields joined by ` | `."""
    return replace(
        string(f"{prefix}PrimaryField", _PRIMARY_FIELD_LENGTH, "Primary field", **SERVER_SET), is_custom=True
    )


def _virtual_column(source: Column, type_: ColumnType, prefix: str) -> Column:
    made = lookup(prefix + source.schema_name, *type_.targets, **SERVER_SET) if isinstance(type_, LookupType) else None
    return replace(
        made or replace(source, type=type_, autonumber=None),
        logical_name=prefix + source.logical_name,
        schema_name=prefix + source.schema_name,
        display_name=source.display_name,
        external_name=source.schema_name,
        is_custom=True,
        metadata_id=None,
    )


def _virtual_type(type_: ColumnType, prefix: str) -> ColumnType | None:
    """Return the type of a generated column, None for what virtual tables do not know."""
    match type_:
        case StringType() | MemoType() | IntegerType() | BooleanType() | DecimalType():
            return type_
        case DoubleType(precision=precision) | MoneyType(precision=precision):
            return DecimalType(precision)
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return type_
        case DateTimeType():
            return replace(type_, behavior=DateTimeBehavior.TIME_ZONE_INDEPENDENT)
        case ChoiceType(choice=choice, default=default):
            return ChoiceType(_virtual_choice(choice, prefix), _virtual_option(choice, default))
        case LookupType(targets=targets):
            return LookupType(tuple(prefix + target for target in targets))
        case (
            BigIntType()
            | UniqueIdentifierType()
            | MultiChoiceType()
            | StateType()
            | StatusType()
            | EntityNameType()
            | ManagedPropertyType()
            | FileType()
            | ImageType()
        ):
            return None
        case _:
            assert_never(type_)


def _virtual_choice(choice: Choice, prefix: str) -> Choice:
    """Return the global choice of an enumeration; options are matched by external value, not by number."""
    name = prefix + choice.name.lower()
    options = tuple(
        replace(option, value=FIRST_OPTION + place, external_value=option.external_value or option.label.text())
        for place, option in enumerate(choice.options)
    )
    return Choice(
        name,
        options,
        choice.display_name,
        is_global=True,
        metadata_id=derived_id("choice", name),
        external_type_name=choice.external_type_name or choice.name,
    )


def _virtual_option(choice: Choice, value: int | None) -> int | None:
    return next((FIRST_OPTION + place for place, o in enumerate(choice.options) if o.value == value), None)


def catalog_id(source: Table) -> Guid:
    """Return the id of a data entity's row in the catalog, the same in every environment."""
    return derived_id(CATALOG_TABLE, source.schema_name)


def catalog_rows(lcid: int = ENGLISH) -> tuple[Record, ...]:
    """Return the rows of the virtual-table catalog: every public data entity, none generated yet.

    Args:
        lcid: the language of the labels, English where there is no other.
    """
    return tuple(
        MappingProxyType(
            {
                f"{CATALOG_TABLE}id": catalog_id(table),
                "mserp_physicalname": table.schema_name,
                "mserp_cdsentitylogicalname": None,
                "mserp_displayname": _shown(table.display_name, lcid, table.schema_name),
                "mserp_hasbeengenerated": False,
                "mserp_refresh": False,
                "mserp_changetrackingenabled": False,
            }
        )
        for table in PUBLIC_TABLES
    )


def _shown(text: Label, lcid: int, otherwise: str) -> str:
    return text.text(lcid) or otherwise
