"""Tables: what Dataverse calls EntityMetadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from entities.metadata.columns import BooleanType, ChoiceType, Column, LookupType, ManagedPropertyType, RequiredLevel
from entities.metadata.labels import Further, Label
from entities.values import Guid, Value

T = TypeVar("T")


class Ownership(Enum):
    """Who owns the records of a table."""

    NONE = "None"
    USER = "UserOwned"
    BUSINESS = "BusinessOwned"
    ORGANIZATION = "OrganizationOwned"


class TableKind(Enum):
    """Where the records of a table live, and whether they are only pairs.

    The records of a base table are those of all tables whose base type it is.
    """

    STANDARD = "Standard"
    VIRTUAL = "Virtual"
    INTERSECT = "Intersect"
    BASE = "Base"


class KeyIndexStatus(Enum):
    """How far the index behind an alternate key is (Learn: "EntityKeyIndexStatus EnumType")."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    ACTIVE = "Active"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class AlternateKey:
    """Columns whose values name one record, as soon as the index behind them is active."""

    logical_name: str
    columns: tuple[str, ...]
    schema_name: str = ""
    display_name: Label = Label()
    metadata_id: Guid | None = None
    index_status: KeyIndexStatus = KeyIndexStatus.ACTIVE
    further: Further = ()


@dataclass(frozen=True, slots=True)
class ExternalSource:
    """What stands behind a virtual table: provider, table and collection name there."""

    provider: str
    name: str
    collection_name: str
    data_provider_id: Guid
    data_source_id: Guid | None = None


NOT_CALCULATED = 0
"""The state of a rollup column that is yet to be calculated."""


def _defaults(columns: tuple[Column, ...]) -> Mapping[str, Value]:
    defaults: dict[str, Value] = {}
    for column in columns:
        if column.formula:
            continue
        if column.rollup is not None:
            defaults[f"{column.logical_name}_state"] = NOT_CALCULATED
        match column.type:
            case BooleanType(default=default) | ChoiceType(default=int(default)):
                defaults[column.logical_name] = default
            case ManagedPropertyType():
                defaults[column.logical_name] = True
            case _:
                pass
    return defaults


@dataclass(frozen=True, slots=True)
class Table:
    """A table of an environment.

    `record_number` is set where ids are composed of a table number and a record number, as finance-and-operations
    tables do (domain rule d.1); otherwise ids are sequential GUIDs. `company_column` names the column that stripes
    the table by legal entity. `natural_key` is the OData key where that is not the id (Human Resources). `indexed` are
    columns by which rows are found quickly, besides those that every table has indexed. `is_activity` tables derive
    from the activity pointer; `has_notes` and `has_activities` tables can have some. `further` are properties of the
    definition that decide nothing here, kept as they were given.

    Derived once: columns by name, the values of columns that a new record does not set, the columns that it must have
    (`required`), (column, format) of automatic numbers, and the calculated columns, which lie in no row.
    """

    logical_name: str
    schema_name: str
    entity_set_name: str
    object_type_code: int
    primary_id: str
    primary_name: str | None
    columns: tuple[Column, ...]
    display_name: Label
    plural_name: Label
    description: Label = Label()
    ownership: Ownership = Ownership.ORGANIZATION
    kind: TableKind = TableKind.STANDARD
    keys: tuple[AlternateKey, ...] = ()
    source: ExternalSource | None = None
    natural_key: tuple[str, ...] = ()
    company_column: str | None = None
    record_number: int | None = None
    base_type: str | None = None
    is_custom: bool = False
    change_tracking: bool = False
    optimistic_concurrency: bool = True
    is_private: bool = False
    metadata_id: Guid | None = None
    indexed: tuple[str, ...] = ()
    is_activity: bool = False
    has_notes: bool = False
    has_activities: bool = False
    further: Further = ()
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)
    defaults: Mapping[str, Value] = field(init=False, repr=False, compare=False)
    required: tuple[str, ...] = field(init=False, repr=False, compare=False)
    autonumbers: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    calculated: tuple[Column, ...] = field(init=False, repr=False, compare=False)
    _derived: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.logical_name: column for column in self.columns})
        own_type = {"activitytypecode": self.logical_name} if self.is_activity else {}
        object.__setattr__(self, "defaults", {**_defaults(self.columns), **own_type})
        needed = (c for c in self.columns if c.required is RequiredLevel.SYSTEM and c.valid_for_create)
        object.__setattr__(self, "required", tuple(column.logical_name for column in needed))
        numbers = tuple((c.logical_name, c.autonumber) for c in self.columns if c.autonumber)
        object.__setattr__(self, "autonumbers", numbers)
        object.__setattr__(self, "calculated", tuple(column for column in self.columns if column.formula))

    def derived(self, make: Callable[[Table], T]) -> T:
        """Return what a function makes of this table; it is made once, and kept as long as the table.

        Args:
            make: a pure function that lives as long as the program (not one that is made where it is used).
        """
        found: T | None = self._derived.get(make)
        if found is None:
            found = self._derived[make] = make(self)
        return found

    @property
    def is_user_owned(self) -> bool:
        """Whether records have an owner and so a row-level answer to 'may I?'."""
        return self.ownership is Ownership.USER

    @property
    def holds_rows(self) -> bool:
        """Whether its records are stored as rows of its own."""
        return self.kind in (TableKind.STANDARD, TableKind.INTERSECT)

    @property
    def has_version(self) -> bool:
        """Whether records carry `versionnumber` (virtual tables have no such column: Learn, "Limitations")."""
        return "versionnumber" in self.by_name

    def lookups(self) -> tuple[Column, ...]:
        """Return the lookup columns in declaration order."""
        return tuple(column for column in self.columns if isinstance(column.type, LookupType))
