"""Hired candidates as LinkedIn describes them: the schemas of the file, and every defect by record and field.

Everything but telephone numbers is required (R-186…R-189). Members the schemas do not know are ignored, since
LinkedIn may add some; a misspelt name is caught all the same, because then the required one is missing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from talent_hub_adapter.hired_file import RawRecord

_CONTRACT: Final = re.compile(r"urn:li:contract:[0-9]+\Z")
# Finance and operations keeps dates of this span only, and reads its first day as "no date".
_FIRST_DAY: Final = date(1900, 1, 2)
_LAST_DAY: Final = date(2154, 12, 31)


@dataclass(frozen=True, slots=True)
class HiredCandidate:
    """A hired candidate, ready to be exported."""

    hiring_context: str
    hris_request_id: str
    first_name: str
    last_name: str
    email_addresses: tuple[str, ...]
    phone_numbers: tuple[str, ...]
    job_title: str
    job_location: str
    start_date: date

    @property
    def full_name(self) -> str:
        """First and last name for people to read."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with one record; an empty field means the record as a whole."""

    record: int
    line: int | None
    hris_request_id: str | None
    field: str
    message: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        known = f", {self.hris_request_id}" if self.hris_request_id is not None else ""
        field = f"{self.field}: " if self.field else ""
        return f"record {self.record}{line}{known}: {field}{self.message}"


class DefectiveRecordsError(Exception):
    """Records of the file are defective; nothing may be sent."""

    def __init__(self, defects: tuple[Defect, ...]) -> None:
        super().__init__("\n".join(map(str, defects)))
        self.defects = defects


def _words(invalid: str) -> dict[str, str | list[Any] | dict[Any, Any]]:
    """Say what marshmallow's kinds of error mean, `invalid` being the wrong JSON type."""
    return {"invalid": invalid, "type": invalid, "required": "is required", "null": "must not be null"}


def _length(text: str) -> int:
    """Count as Dataverse does, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _check_text(text: str, limit: int) -> None:
    """Refuse what no column takes: nothing but white space, NUL, half a character, or too much of it."""
    if not text.strip():
        raise ValidationError("must not be empty")
    if "\0" in text:
        raise ValidationError("must not contain the NUL character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("must not contain half of a surrogate pair")
    if _length(text) > limit:
        raise ValidationError(f"must not be longer than {limit} characters (it has {_length(text)})")


def _check_contract(text: str) -> None:
    if not _CONTRACT.match(text):
        raise ValidationError("must look like urn:li:contract:123")


def _check_email(text: str) -> None:
    if not is_email_address(text):
        raise ValidationError("is not a well-formed e-mail address")


def _text(limit: int, data_key: str | None = None, check: Callable[[str], None] | None = None) -> fields.String:
    """Make a required text of at most `limit` characters; `check` sees only texts that are sound as such."""

    def validator(text: str) -> None:
        _check_text(text, limit)
        if check is not None:
            check(text)

    return fields.String(required=True, data_key=data_key, validate=validator, error_messages=_words("must be text"))


def is_email_address(text: str) -> bool:
    """Tell whether an address is well-formed: RFC 5321, with international names as RFC 6531 and IDNA allow.

    Marshmallow's rule is applied to the address's ASCII form, because the rule itself knows neither combining
    characters in the local part nor the scripts in which they are common.
    """
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    if not at or len(labels) < 2 or len(local.encode()) > 64:  # noqa: PLR2004 - RFC 5321 §4.5.3.1.1
        return False
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        validate.Email()(f"{''.join(map(_ascii_stand_in, local))}@{ascii_domain}")
    except (UnicodeError, ValidationError):
        return False
    return True


def _ascii_stand_in(character: str) -> str:
    """Let an 'x' stand for a letter, mark or digit beyond ASCII; leave everything else for the rule to judge."""
    beyond = not character.isascii() and unicodedata.category(character)[0] in "LMN"
    return "x" if beyond else character


class _TolerantSchema(Schema):
    """What all objects of the file share: unknown members are ignored, errors speak plainly."""

    class Meta:
        """Options that marshmallow reads."""

        unknown = EXCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - the name and form that marshmallow's Schema declares


def _integer() -> fields.Integer:
    return fields.Integer(required=True, strict=True, error_messages=_words("must be a whole number"))


def _nested(schema: type[Schema], data_key: str) -> fields.Nested:
    return fields.Nested(schema, required=True, data_key=data_key, error_messages=_words("must be an object"))


class _StartDate(_TolerantSchema):
    """LinkedIn's date: year, month and day as numbers."""

    year = _integer()
    month = _integer()
    day = _integer()

    @post_load
    def _to_date(self, data: Mapping[str, int], **_: object) -> date:
        try:
            start = date(data["year"], data["month"], data["day"])
        except (ValueError, OverflowError) as error:
            raise ValidationError("is not a date of the calendar") from error
        if not _FIRST_DAY <= start <= _LAST_DAY:
            raise ValidationError(f"must lie between {_FIRST_DAY} and {_LAST_DAY}")
        return start


class _PhoneNumber(_TolerantSchema):
    """One telephone number."""

    number = _text(255)

    @post_load
    def _to_text(self, data: Mapping[str, str], **_: object) -> str:
        return data["number"]


class _CandidateProfile(_TolerantSchema):
    """The person."""

    first_name = _text(25, "firstName")
    last_name = _text(60, "lastName")
    email_addresses = fields.List(
        _text(255, check=_check_email),
        required=True,
        data_key="emailAddresses",
        validate=validate.Length(min=1, error="must hold at least one address"),
        error_messages=_words("must be a list"),
    )
    phone_numbers = fields.List(
        fields.Nested(_PhoneNumber, error_messages=_words("must be an object")),
        required=True,
        data_key="phoneNumbers",
        error_messages=_words("must be a list"),
    )


class _HiredCandidate(_TolerantSchema):
    """One record of the file."""

    hiring_context = _text(255, "hiringContext", _check_contract)
    hris_request_id = _text(255, "hrisRequestId")
    profile = _nested(_CandidateProfile, "candidateProfile")
    job_title = _text(200, "jobTitle")
    job_location = _text(255, "jobLocation")
    start_date = _nested(_StartDate, "startDate")

    @post_load
    def _to_candidate(self, data: Mapping[str, Any], **_: object) -> HiredCandidate:
        profile = data["profile"]
        return HiredCandidate(
            hiring_context=data["hiring_context"],
            hris_request_id=data["hris_request_id"],
            first_name=profile["first_name"],
            last_name=profile["last_name"],
            email_addresses=tuple(profile["email_addresses"]),
            phone_numbers=tuple(profile["phone_numbers"]),
            job_title=data["job_title"],
            job_location=data["job_location"],
            start_date=data["start_date"],
        )


def validate_records(records: tuple[RawRecord, ...]) -> tuple[HiredCandidate, ...]:
    """Turn records into candidates, all of them or none.

    Raises:
        DefectiveRecordsError: with every defect of every record, in the file's order.
    """
    schema = _HiredCandidate()
    candidates: list[HiredCandidate] = []
    defects: list[Defect] = []
    first_seen: dict[tuple[str, str], int] = {}
    for record in records:
        if not isinstance(record.value, dict):
            defects.append(_defect(record, "", "must be an object"))
            continue
        try:
            candidates.append(schema.load(record.value))
        except ValidationError as error:
            defects += (_defect(record, path, message) for path, message in _flatten(error.messages, ""))
        key = _request_key(record.value)
        if key is not None and first_seen.setdefault(key, record.number) != record.number:
            defects.append(_defect(record, "hrisRequestId", f"is the request of record {first_seen[key]} again"))
    if defects:
        raise DefectiveRecordsError(tuple(defects))
    return tuple(candidates)


def _request_key(value: Mapping[str, object]) -> tuple[str, str] | None:
    """Return what names a request; Human Resources compares without regard to case, so spellings count as one."""
    match value:
        case {"hiringContext": str(context), "hrisRequestId": str(request)} if request.strip():
            return context, request.casefold()
        case _:
            return None


def _defect(record: RawRecord, path: str, message: str) -> Defect:
    known = record.value.get("hrisRequestId") if isinstance(record.value, dict) else None
    return Defect(
        record.number, record.line, known if isinstance(known, str) and known.strip() else None, path, message
    )


def _flatten(messages: object, path: str) -> Iterator[tuple[str, str]]:
    """Walk marshmallow's nested messages: names become `a.b`, positions `a[0]`, `_schema` the object itself."""
    match messages:
        case dict():
            for key, below in messages.items():
                yield from _flatten(below, _joined(path, key))
        case list():
            for below in messages:
                yield from _flatten(below, path)
        case _:
            yield path, str(messages)


def _joined(path: str, key: object) -> str:
    match key:
        case int():
            return f"{path}[{key}]"
        case "_schema":
            return path
        case _:
            return f"{path}.{key}" if path else str(key)
