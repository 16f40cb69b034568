"""The types of columns in request bodies: one reader per entity type of AttributeMetadata.

Limits are those of Learn, "Column data types" and the reference of the attribute metadata types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, TypeAlias, TypeVar

from entities.errors import InvalidArgument
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Choice,
    ChoiceType,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    FileType,
    ImageType,
    IntegerType,
    LookupKind,
    LookupType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StringType,
)
from odata_server.bind.definitions.checking import TYPE, Members
from odata_server.bind.definitions.choices import chosen, read_boolean_options

T = TypeVar("T", bound=ColumnType)

_TEXT_FORMATS: Final = frozenset(
    (
        *("Email", "Text", "TextArea", "Url", "TickerSymbol", "PhoneticGuide", "VersionNumber", "Phone"),
        *("Json", "RichText"),
    )
)
_LONGEST_STRING: Final = 4_000
_LONGEST_MEMO: Final = 1_048_576
_LARGEST_FILE: Final = 10_485_760
_LARGEST_IMAGE: Final = 30_720
_DIGITS_OF_DECIMAL: Final = 10
_DIGITS_OF_DOUBLE: Final = 5
_DIGITS_OF_MONEY: Final = 4


@dataclass(frozen=True, slots=True)
class TypeScope:
    """What a type is read against: the global choices, what the column's own choice is called, the type before."""

    choices: Mapping[str, Choice]
    local: str
    before: ColumnType | None = None


Reader: TypeAlias = Callable[[Members, TypeScope], ColumnType]


def read_type(members: Members, scope: TypeScope) -> ColumnType:
    """Return the type of a column.

    Args:
        members: a checked definition of a column.
        scope: what it is read against.

    Raises:
        InvalidArgument: the type cannot be made this way (0x80044815), or a limit is out of range (0x80040203).
    """
    reader = _READERS.get(members[TYPE])
    if reader is None:
        if scope.before is not None:
            return scope.before
        stated = members.get("AttributeType", members[TYPE].removesuffix("AttributeMetadata") or "Uniqueidentifier")
        raise InvalidArgument(f"Attribute data type: {stated} is not valid for this entity.", code="0x80044815")
    return reader(members, scope)


def _before(scope: TypeScope, new: T) -> T:
    return scope.before if isinstance(scope.before, type(new)) else new


def _string(members: Members, scope: TypeScope) -> ColumnType:
    type_ = _before(scope, StringType())
    stated = members.get("FormatName", {}).get("Value") or members.get("Format") or type_.format
    if stated not in _TEXT_FORMATS:
        raise InvalidArgument(f"'{stated[:100]}' is not a valid format of a string attribute.")
    return StringType(_within(members, "MaxLength", type_.max_length, 1, _LONGEST_STRING), stated)


def _memo(members: Members, scope: TypeScope) -> ColumnType:
    longest = _within(members, "MaxLength", _before(scope, MemoType()).max_length, 1, _LONGEST_MEMO)
    return replace(_before(scope, MemoType()), max_length=longest)


def _integer(members: Members, scope: TypeScope) -> ColumnType:
    type_ = _before(scope, IntegerType())
    minimum, maximum = members.get("MinValue", type_.minimum), members.get("MaxValue", type_.maximum)
    _check_order(minimum, maximum)
    return IntegerType(minimum, maximum)


def _big_integer(_members: Members, _scope: TypeScope) -> ColumnType:
    return BigIntType()


def _decimal(members: Members, scope: TypeScope) -> ColumnType:
    type_, widest = _before(scope, DecimalType()), DecimalType()
    digits = _within(members, "Precision", type_.precision, 0, _DIGITS_OF_DECIMAL)
    minimum, maximum = _limits(members, (type_.minimum, type_.maximum), (widest.minimum, widest.maximum))
    return DecimalType(digits, minimum, maximum)


def _double(members: Members, scope: TypeScope) -> ColumnType:
    type_, widest = _before(scope, DoubleType()), DoubleType()
    minimum = float(_within(members, "MinValue", type_.minimum, widest.minimum, widest.maximum))
    maximum = float(_within(members, "MaxValue", type_.maximum, widest.minimum, widest.maximum))
    _check_order(minimum, maximum)
    return DoubleType(_within(members, "Precision", type_.precision, 0, _DIGITS_OF_DOUBLE), minimum, maximum)


def _money(members: Members, scope: TypeScope) -> ColumnType:
    type_, widest = _before(scope, MoneyType()), MoneyType()
    digits = _within(members, "Precision", type_.precision, 0, _DIGITS_OF_MONEY)
    minimum, maximum = _limits(members, (type_.minimum, type_.maximum), (widest.minimum, widest.maximum))
    return MoneyType(digits, minimum, maximum)


def _limits(members: Members, before: tuple[int, int], widest: tuple[int, int]) -> tuple[int, int]:
    """Return whole limits: a minimum and maximum with digits behind the point are rounded away from one another."""
    low = Decimal(_within(members, "MinValue", before[0], *widest))
    high = Decimal(_within(members, "MaxValue", before[1], *widest))
    _check_order(low, high)
    return int(low.to_integral_value(ROUND_FLOOR)), int(high.to_integral_value(ROUND_CEILING))


def _boolean(members: Members, scope: TypeScope) -> ColumnType:
    type_ = _before(scope, BooleanType())
    type_ = replace(type_, default=members.get("DefaultValue", type_.default))
    stated = members.get("OptionSet")
    # Labels of options change through an action of their own.
    return type_ if stated is None or scope.before is not None else read_boolean_options(stated, type_)


def _date_time(members: Members, scope: TypeScope) -> ColumnType:
    type_ = _before(scope, DateTimeType())
    stated = members.get("DateTimeBehavior", {}).get("Value", type_.behavior.value)
    if stated not in {behavior.value for behavior in DateTimeBehavior}:
        raise InvalidArgument(f"'{stated[:100]}' is not a valid behavior of a date and time attribute.")
    behavior = DateTimeBehavior(stated)
    shown = members.get("Format", "DateOnly" if behavior is DateTimeBehavior.DATE_ONLY else type_.format)
    if behavior is DateTimeBehavior.DATE_ONLY and shown != "DateOnly":
        raise InvalidArgument("A date and time attribute with the behavior DateOnly has the format DateOnly.")
    return DateTimeType(behavior, shown)


def _picklist(members: Members, scope: TypeScope) -> ColumnType:
    if isinstance(scope.before, ChoiceType):
        type_ = scope.before
    else:
        type_ = ChoiceType(chosen(members, scope.choices, scope.local))
    default = members.get("DefaultFormValue", -1 if type_.default is None else type_.default)
    if default == -1:
        return replace(type_, default=None)
    if default not in {option.value for option in type_.choice.options}:
        raise InvalidArgument(f"The default value {default} is not one of the options.", code="0x8004431a")
    return replace(type_, default=default)


def _multi_select(members: Members, scope: TypeScope) -> ColumnType:
    if isinstance(scope.before, MultiChoiceType):
        return scope.before
    return MultiChoiceType(chosen(members, scope.choices, scope.local))


def _lookup(members: Members, scope: TypeScope) -> ColumnType:
    """Return a lookup; where it points to is said by relationships, never by the column (Learn: "Create columns")."""
    if isinstance(scope.before, LookupType):
        return scope.before
    return LookupType(tuple(members.get("Targets", ())), LookupKind.LOOKUP)


def _file(members: Members, scope: TypeScope) -> ColumnType:
    return FileType(_within(members, "MaxSizeInKB", _before(scope, FileType()).max_size_kb, 1, _LARGEST_FILE))


def _image(members: Members, scope: TypeScope) -> ColumnType:
    new = ImageType(stores_full_image=False, is_primary=False)
    type_ = scope.before if isinstance(scope.before, ImageType) else new
    return ImageType(
        _within(members, "MaxSizeInKB", type_.max_size_kb, 1, _LARGEST_IMAGE),
        members.get("CanStoreFullImage", type_.stores_full_image),
        members.get("IsPrimaryImage", type_.is_primary),
    )


_READERS: Final[Mapping[str, Reader]] = {
    "StringAttributeMetadata": _string,
    "MemoAttributeMetadata": _memo,
    "IntegerAttributeMetadata": _integer,
    "BigIntAttributeMetadata": _big_integer,
    "DecimalAttributeMetadata": _decimal,
    "DoubleAttributeMetadata": _double,
    "MoneyAttributeMetadata": _money,
    "BooleanAttributeMetadata": _boolean,
    "DateTimeAttributeMetadata": _date_time,
    "PicklistAttributeMetadata": _picklist,
    "MultiSelectPicklistAttributeMetadata": _multi_select,
    "LookupAttributeMetadata": _lookup,
    "FileAttributeMetadata": _file,
    "ImageAttributeMetadata": _image,
}

N = TypeVar("N", int, float)


def _within(members: Members, name: str, before: N, low: N, high: N) -> N:
    """Return a number that a definition gives, or had before.

    Raises:
        InvalidArgument: it is out of range.
    """
    value: N = members.get(name, before)
    if not low <= value <= high:
        raise InvalidArgument(f"The value {value} of {name} is not valid: it lies between {low} and {high}.")
    return value


def _check_order(minimum: float | Decimal, maximum: float | Decimal) -> None:
    if minimum > maximum:
        raise InvalidArgument(f"The minimum value {minimum} is greater than the maximum value {maximum}.")
