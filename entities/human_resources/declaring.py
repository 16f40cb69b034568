"""How a data entity of Human Resources is declared: public name, natural key, relations by natural key.

A data entity has an AOT name (`HcmWorkerEntity`), a public set (`Workers`) and a natural key that names a row on
`/data`. The GUID of a row is internal: four bytes table number, eight bytes record number (domain rule d.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from entities.metadata.columns import Column, LookupType, StringType
from entities.metadata.declare import SERVER_SET, lookup, primary_id, version_column, with_ids
from entities.metadata.labels import Label, label
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.metadata.tables import AlternateKey, Table

NATURAL_KEY = "natural"
"""The name of the alternate key that holds the columns of the natural key."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A relation by natural key: values of `columns` here name a row of `target`.

    Attributes:
        name: the relation's name (`Person`), which virtual tables carry on (`mshr_FK_Person_id`).
        navigation: the navigation property on `/data` (`PersonRelation`).
        target: the logical name of the table the key values point to.
        columns: pairs of own column and key column of the target.
    """

    name: str
    navigation: str
    target: str
    columns: tuple[tuple[str, str], ...]

    @property
    def lookup(self) -> str:
        """The logical name of the internal column that holds the id of the referenced row."""
        return f"fk_{self.name.lower()}_id"


@dataclass(frozen=True, slots=True)
class DataEntity:
    """A declared data entity: its table, and its relations. `is_public` puts it into the virtual-table catalog."""

    table: Table
    references: tuple[Reference, ...] = ()
    is_public: bool = True


@dataclass(frozen=True, slots=True)
class Names:
    """What a data entity is called: AOT name, public set, labels."""

    entity: str
    entity_set: str
    one: Label
    many: Label = field(default=Label())


def names(entity: str, entity_set: str, one: str, many: str, *, nl: str | None = None) -> Names:
    """Return the names of a data entity; `nl` is the Dutch label where the source pages print one."""
    return Names(entity, entity_set, label(one, nl=nl), label(many, nl=nl))


def data_entity(
    called: Names,
    number: int,
    key: tuple[str, ...],
    columns: tuple[Column, ...],
    *references: Reference,
    keys: tuple[AlternateKey, ...] = (),
    is_public: bool = True,
) -> DataEntity:
    """Declare a data entity.

    Args:
        called: its names.
        number: the table number, first four bytes of every row's id.
        key: logical names of the natural key's columns, in the order of `/data` key predicates.
        columns: the public columns.
        references: the relations; each brings its internal lookup column.
        keys: further keys beside the natural one.
        is_public: whether the catalog of virtual tables lists it.
    """
    internal = (
        primary_id(f"{called.entity}Id", called.one.text() or ""),
        version_column(),
        *(lookup(f"FK_{r.name}_id", r.target, text=r.name, **SERVER_SET) for r in references),
    )
    table = Table(
        logical_name=called.entity.lower(),
        schema_name=called.entity,
        entity_set_name=called.entity_set,
        object_type_code=number,
        primary_id=f"{called.entity.lower()}id",
        primary_name=_primary_name(key, columns),
        columns=(*columns, *internal),
        display_name=called.one,
        plural_name=called.many,
        keys=(AlternateKey(NATURAL_KEY, key), *keys),
        natural_key=key,
        company_column="dataareaid" if "dataareaid" in key else None,
        record_number=number,
        change_tracking=True,
    )
    return DataEntity(with_ids(table), references, is_public)


def _primary_name(key: tuple[str, ...], columns: tuple[Column, ...]) -> str:
    """Return the most specific text column of a key."""
    texts = {c.logical_name for c in columns if isinstance(c.type, StringType)}
    return [name for name in key if name in texts][-1]


def relationships_of(entity: DataEntity) -> tuple[OneToMany, ...]:
    """Return an entity's relations as relationships over their internal lookup columns."""
    table = entity.table
    return tuple(
        OneToMany(
            schema_name=f"FK_{table.schema_name}_{r.name}",
            referenced_table=r.target,
            referenced_column=f"{r.target}id",
            referencing_table=table.logical_name,
            referencing_column=r.lookup,
            referencing_navigation=r.navigation,
            referenced_navigation=table.entity_set_name,
            cascade=CascadeConfiguration(delete=Cascade.RESTRICT),
        )
        for r in entity.references
    )


def public_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns that `/data` shows: no id, no row version, no internal lookups and keys."""
    return tuple(
        c
        for c in table.columns
        if c.valid_for_read
        and c.logical_name not in (table.primary_id, "versionnumber")
        and not isinstance(c.type, LookupType)
    )
