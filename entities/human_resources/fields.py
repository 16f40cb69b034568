"""Fields of Human Resources: what counts as filled in, and the values of an action's parameters."""

from __future__ import annotations

from datetime import UTC, date, datetime

from entities.errors import StepRejected
from entities.metadata.columns import RequiredLevel
from entities.metadata.tables import Table
from entities.values import Record

NEVER = datetime(2154, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The end of a period without end, as finance-and-operations writes it."""

_NO_DATE = date(1900, 1, 1)


def is_filled(value: object) -> bool:
    """Return whether a field has a value: blank text and 1900-01-01 are the source's ways to say it has none."""
    match value:
        case None:
            return False
        case str():
            return bool(value.strip())
        case datetime():
            return value.date() != _NO_DATE
        case date():
            return value != _NO_DATE
        case _:
            return True


def check_filled(table: Table, record: Record, *, is_new: bool) -> None:
    """Check that a record has every field its table requires; a change is checked for the fields it sets.

    Raises:
        StepRejected: naming the first empty field.
    """
    for column in table.columns:
        name = column.logical_name
        if column.required is not RequiredLevel.APPLICATION or not (is_new or name in record):
            continue
        if not is_filled(record.get(name)):
            raise StepRejected(f"Field '{column.schema_name}' must be filled in.")


def text_of(record: Record, name: str) -> str:
    """Return a text field without blanks around it, empty when it has no value."""
    value = record.get(name)
    return value.strip() if isinstance(value, str) else ""


def text_parameter(name: str, value: object) -> str | None:
    """Return an action's text parameter without blanks around it, None when it isn't given.

    Raises:
        StepRejected: it is no text.
    """
    match value:
        case None:
            return None
        case str():
            return value.strip() or None
        case _:
            raise StepRejected(f"The value '{value}' in field '{name}' isn't a text.")


def required_text(name: str, value: object) -> str:
    """Return an action's text parameter.

    Raises:
        StepRejected: it isn't given, or no text.
    """
    text = text_parameter(name, value)
    if text is None:
        raise StepRejected(f"Field '{name}' must be filled in.")
    return text


def date_parameter(name: str, value: object) -> datetime:
    """Return a moment from a date, a date-time, or the text of one; a date begins at midnight UTC.

    Raises:
        StepRejected: it isn't given, no date, or outside 1900-01-01 to 2154-12-31.
    """
    match value:
        case datetime():
            moment = value
        case date():
            moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
        case None | "":
            raise StepRejected(f"Field '{name}' must be filled in.")
        case str():
            moment = _moment_of(name, value.strip())
        case _:
            raise _no_date(name, value)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)
    if moment.date() == _NO_DATE:
        raise StepRejected(f"Field '{name}' must be filled in.")
    if not _NO_DATE.year <= moment.year <= NEVER.year:
        raise _no_date(name, value)
    return moment.astimezone(UTC)


def _moment_of(name: str, text: str) -> datetime:
    # fromisoformat also takes basic and week forms; OData has only the extended calendar form.
    if len(text) < len("2021-07-01") or text[4:5] != "-" or text[7:8] != "-":
        raise _no_date(name, text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_date(name, text) from error


def _no_date(name: str, value: object) -> StepRejected:
    return StepRejected(f"The value '{value}' in field '{name}' isn't a valid date.")


def found(row: Record | None, field: str, value: object, where: str) -> Record:
    """Return the row that a field's value names.

    Args:
        row: what was found.
        field: the field that names it.
        value: the field's value.
        where: the related table's label.

    Raises:
        StepRejected: nothing was found.
    """
    if row is None:
        raise StepRejected(f"The value '{value}' in field '{field}' is not found in the related table '{where}'.")
    return row
