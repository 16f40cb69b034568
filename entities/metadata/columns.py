"""Columns and their types: every Dataverse column type as one frozen value (Learn: "Column data types")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from entities.metadata.labels import Further, Label
from entities.values import Guid


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice: number, label, what an external system calls it, and the options it depends on."""

    value: int
    label: Label
    external_value: str | None = None
    description: Label = Label()
    color: str | None = None
    parent_values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusOption:
    """One status reason, with the state it belongs to."""

    value: int
    label: Label
    state: int
    description: Label = Label()
    color: str | None = None


@dataclass(frozen=True, slots=True)
class StateOption:
    """One state, with the status reason a record gets when only the state is set."""

    value: int
    label: Label
    invariant_name: str
    default_status: int
    description: Label = Label()
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of options, local to a column or global."""

    name: str
    options: tuple[Option, ...]
    display_name: Label = Label()
    is_global: bool = False
    metadata_id: Guid | None = None
    external_type_name: str | None = None
    description: Label = Label()
    is_custom: bool = False


class DateTimeBehavior(Enum):
    """How a date-time column treats time zones."""

    USER_LOCAL = "UserLocal"
    DATE_ONLY = "DateOnly"
    TIME_ZONE_INDEPENDENT = "TimeZoneIndependent"


@dataclass(frozen=True, slots=True)
class UniqueIdentifierType:
    """A GUID that is not a lookup."""


@dataclass(frozen=True, slots=True)
class StringType:
    """Single-line text."""

    max_length: int = 100
    format: str = "Text"


@dataclass(frozen=True, slots=True)
class MemoType:
    """Multi-line text."""

    max_length: int = 2000


@dataclass(frozen=True, slots=True)
class IntegerType:
    """A 32-bit whole number."""

    minimum: int = -2_147_483_648
    maximum: int = 2_147_483_647


@dataclass(frozen=True, slots=True)
class BigIntType:
    """A 64-bit whole number (versionnumber and a few system columns)."""


@dataclass(frozen=True, slots=True)
class DecimalType:
    """An exact number with `precision` digits after the point (0–10)."""

    precision: int = 2
    minimum: int = -100_000_000_000
    maximum: int = 100_000_000_000


@dataclass(frozen=True, slots=True)
class DoubleType:
    """A floating-point number printed with `precision` digits after the point (0–5)."""

    precision: int = 2
    minimum: float = -100_000_000_000
    maximum: float = 100_000_000_000


@dataclass(frozen=True, slots=True)
class MoneyType:
    """An amount in the record's currency; always four digits are stored."""

    precision: int = 2
    minimum: int = -922_337_203_685_477
    maximum: int = 922_337_203_685_477


@dataclass(frozen=True, slots=True)
class BooleanType:
    """Yes/no with two labels."""

    true_label: Label = Label(((1033, "Yes"),))
    false_label: Label = Label(((1033, "No"),))
    default: bool = False


@dataclass(frozen=True, slots=True)
class DateTimeType:
    """A date, or a date and time."""

    behavior: DateTimeBehavior = DateTimeBehavior.USER_LOCAL
    format: str = "DateAndTime"


@dataclass(frozen=True, slots=True)
class ChoiceType:
    """One option of a choice ("Picklist")."""

    choice: Choice
    default: int | None = None


@dataclass(frozen=True, slots=True)
class MultiChoiceType:
    """Several options of a choice ("MultiSelectPicklist")."""

    choice: Choice


@dataclass(frozen=True, slots=True)
class StateType:
    """The state of a record."""

    states: tuple[StateOption, ...]


@dataclass(frozen=True, slots=True)
class StatusType:
    """The reason of a record's state."""

    statuses: tuple[StatusOption, ...]


class LookupKind(Enum):
    """What Dataverse calls a lookup of these targets."""

    LOOKUP = "Lookup"
    CUSTOMER = "Customer"
    OWNER = "Owner"


@dataclass(frozen=True, slots=True)
class LookupType:
    """A reference to a record of one or, when polymorphic, of several tables."""

    targets: tuple[str, ...]
    kind: LookupKind = LookupKind.LOOKUP

    @property
    def is_polymorphic(self) -> bool:
        """Whether the table must be stored beside the id."""
        return len(self.targets) > 1


@dataclass(frozen=True, slots=True)
class EntityNameType:
    """The logical name of a table."""


@dataclass(frozen=True, slots=True)
class ManagedPropertyType:
    """A boolean with the right to change it (`iscustomizable` and the like)."""

    managed_property: str = ""


@dataclass(frozen=True, slots=True)
class FileType:
    """A file, stored in chunks beside the row."""

    max_size_kb: int = 32_768


@dataclass(frozen=True, slots=True)
class ImageType:
    """An image: its thumbnail in the row, the full image beside it where the column stores that.

    Only the primary image of a table can be set when a record is made (Learn: "Use image column data").
    """

    max_size_kb: int = 10_240
    stores_full_image: bool = True
    is_primary: bool = True


ColumnType: TypeAlias = (
    UniqueIdentifierType
    | StringType
    | MemoType
    | IntegerType
    | BigIntType
    | DecimalType
    | DoubleType
    | MoneyType
    | BooleanType
    | DateTimeType
    | ChoiceType
    | MultiChoiceType
    | StateType
    | StatusType
    | LookupType
    | EntityNameType
    | ManagedPropertyType
    | FileType
    | ImageType
)


class RequiredLevel(Enum):
    """Whether a column must have a value."""

    NONE = "None"
    SYSTEM = "SystemRequired"
    APPLICATION = "ApplicationRequired"
    RECOMMENDED = "Recommended"


class SourceType(Enum):
    """Where the values of a column come from (Learn: "AttributeMetadata EntityType", SourceType)."""

    SIMPLE = 0
    CALCULATED = 1
    ROLLUP = 2


@dataclass(frozen=True, slots=True)
class RollupCondition:
    """A condition on the records that a rollup column counts: column, operator as in FetchXML, values as text."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollup:
    """What a rollup column adds up (Learn: "Define rollup columns").

    `function` is one of SUM, COUNT, MIN, MAX and AVG; it aggregates `column` (empty to count records) of the records
    of `table` whose `lookup` points to the record, as far as all of `conditions` hold. With `hierarchy`, the table's
    own lookup to the parent, those of the records below count too.
    """

    function: str
    table: str
    lookup: str
    column: str = ""
    conditions: tuple[RollupCondition, ...] = ()
    hierarchy: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `valid_for_create/update` say what a caller may set; the system may set any column. `external_name` is the name
    of the field behind a virtual table. `autonumber` is a format such as `{SEQNUM:6}` filled on create.

    A column with a `formula` is calculated: it is computed when it is read and lies in no row. One with a `rollup` is
    computed now and then and kept, with the moment in the column `_date` and the outcome in the column `_state`.
    `further` are properties of the definition that decide nothing here, kept as they were given.
    """

    logical_name: str
    type: ColumnType
    schema_name: str
    display_name: Label = Label()
    description: Label = Label()
    required: RequiredLevel = RequiredLevel.NONE
    valid_for_create: bool = True
    valid_for_update: bool = True
    valid_for_read: bool = True
    is_custom: bool = False
    is_secured: bool = False
    external_name: str | None = None
    autonumber: str | None = None
    metadata_id: Guid | None = None
    formula: str = ""
    rollup: Rollup | None = None
    further: Further = ()

    @property
    def source_type(self) -> SourceType:
        """Where its values come from."""
        if self.formula:
            return SourceType.CALCULATED
        return SourceType.SIMPLE if self.rollup is None else SourceType.ROLLUP
