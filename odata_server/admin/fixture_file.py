"""The file of `--fixture`: declared applications, business units, users, roles, tables and rows, read strictly.

A test suite's own way to a known state, and a user's in CI. Rows are bodies as one would POST them to the Web API
(under `rows`) or to `/data` (under `humanResourcesRows`), by entity set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

_COLUMN_TYPES = (
    "String",
    "Memo",
    "Integer",
    "Decimal",
    "Double",
    "Money",
    "Boolean",
    "DateTime",
    "DateOnly",
    "Picklist",
    "Lookup",
    "File",
    "Image",
)


class FixtureError(Exception):
    """The fixture file cannot be used; one line that says where it is wrong."""


@dataclass(frozen=True, slots=True)
class ApplicationFixture:
    """An app registration with a secret that tests know."""

    client_id: UUID
    client_secret: str
    display_name: str


@dataclass(frozen=True, slots=True)
class UnitFixture:
    """A business unit; below the root unless it names its parent."""

    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RoleFixture:
    """A security role: privilege names and depths, in the root business unit or another."""

    name: str
    privileges: Mapping[str, str] = field(default_factory=dict)
    business_unit: str | None = None


@dataclass(frozen=True, slots=True)
class UserFixture:
    """A person (user principal name) or an application user (application id), with its roles."""

    roles: tuple[str, ...] = ()
    business_unit: str | None = None
    application_id: UUID | None = None
    user_principal_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionFixture:
    """A condition on the records that a rollup column adds up; the operator as in FetchXML."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollupFixture:
    """What a rollup column adds up: a function over a column of the records whose lookup points to the record."""

    function: str
    table: str
    lookup: str
    column: str = ""
    conditions: tuple[ConditionFixture, ...] = ()
    hierarchy: str = ""


@dataclass(frozen=True, slots=True)
class ColumnFixture:
    """A column of a declared table; calculated with a `formula`, a rollup column with a `rollup`."""

    schema_name: str
    type: str = "String"
    display_name: str = ""
    max_length: int = 100
    precision: int = 2
    targets: tuple[str, ...] = ()
    options: Mapping[str, int] = field(default_factory=dict)
    formula: str = ""
    rollup: RollupFixture | None = None
    auto_number_format: str | None = None

    @property
    def is_derived(self) -> bool:
        """Whether its values follow from others, so that it can be declared once all tables are there."""
        return bool(self.formula) or self.rollup is not None


@dataclass(frozen=True, slots=True)
class TableFixture:
    """A custom table; `primary_name` names the text column that shows a record."""

    schema_name: str
    primary_name: str
    columns: tuple[ColumnFixture, ...]
    display_name: str = ""
    plural_name: str = ""
    ownership: str = "UserOwned"
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Fixture:
    """Everything a fixture file declares."""

    applications: tuple[ApplicationFixture, ...] = ()
    business_units: tuple[UnitFixture, ...] = ()
    roles: tuple[RoleFixture, ...] = ()
    users: tuple[UserFixture, ...] = ()
    tables: tuple[TableFixture, ...] = ()
    columns: Mapping[str, tuple[ColumnFixture, ...]] = field(default_factory=dict)
    rows: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    human_resources_rows: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)


class _FrozenSchema(Schema):
    """A schema whose result is a frozen value; lists become tuples."""

    value: type

    @post_load
    def freeze(self, data: dict[str, Any], **_: object) -> object:
        """Return the value."""
        return self.value(**{name: tuple(v) if isinstance(v, list) else v for name, v in data.items()})


def _name(key: str, *, required: bool = True) -> fields.String:
    return fields.String(data_key=key, required=required, validate=validate.Length(min=1))


class _ApplicationSchema(_FrozenSchema):
    value = ApplicationFixture
    client_id = fields.UUID(data_key="clientId", required=True)
    client_secret = _name("clientSecret")
    display_name = _name("displayName")


class _UnitSchema(_FrozenSchema):
    value = UnitFixture
    name = _name("name")
    parent = _name("parent", required=False)


class _RoleSchema(_FrozenSchema):
    value = RoleFixture
    name = _name("name")
    business_unit = _name("businessUnit", required=False)
    privileges = fields.Dict(
        keys=fields.String(), values=fields.String(validate=validate.OneOf(("Basic", "Local", "Deep", "Global")))
    )


class _UserSchema(_FrozenSchema):
    value = UserFixture
    roles = fields.List(fields.String())
    business_unit = _name("businessUnit", required=False)
    application_id = fields.UUID(data_key="applicationId")
    user_principal_name = fields.Email(data_key="userPrincipalName")
    first_name = _name("firstName", required=False)
    last_name = _name("lastName", required=False)

    @validates_schema
    def has_name(self, data: dict[str, Any], **_: object) -> None:
        """Refuse a user that is neither a person nor an application."""
        if not data.keys() & {"application_id", "user_principal_name"}:
            raise ValidationError("One of userPrincipalName and applicationId is required.")


class _ConditionSchema(_FrozenSchema):
    value = ConditionFixture
    column = _name("column")
    operator = _name("operator")
    values = fields.List(fields.String())


class _RollupSchema(_FrozenSchema):
    value = RollupFixture
    function = _name("function")
    table = _name("table")
    lookup = _name("lookup")
    column = _name("column", required=False)
    conditions = fields.List(fields.Nested(_ConditionSchema))
    hierarchy = _name("hierarchy", required=False)


class _ColumnSchema(_FrozenSchema):
    value = ColumnFixture
    schema_name = _name("schemaName")
    type = fields.String(validate=validate.OneOf(_COLUMN_TYPES))
    display_name = _name("displayName", required=False)
    max_length = fields.Integer(data_key="maxLength", strict=True, validate=validate.Range(1, 1_048_576))
    precision = fields.Integer(strict=True, validate=validate.Range(0, 10))
    targets = fields.List(fields.String())
    options = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))
    formula = _name("formula", required=False)
    rollup = fields.Nested(_RollupSchema)
    auto_number_format = _name("autoNumberFormat", required=False)


class _TableSchema(_FrozenSchema):
    value = TableFixture
    schema_name = fields.String(
        data_key="schemaName", required=True, validate=validate.Regexp(r"[a-z][a-z0-9]{1,7}_[A-Za-z][A-Za-z0-9_]*\Z")
    )
    primary_name = _name("primaryName")
    columns = fields.List(fields.Nested(_ColumnSchema), required=True, validate=validate.Length(min=1))
    display_name = _name("displayName", required=False)
    plural_name = _name("pluralName", required=False)
    ownership = fields.String(validate=validate.OneOf(("UserOwned", "OrganizationOwned")))
    keys = fields.List(fields.List(fields.String(), validate=validate.Length(min=1)))


class _FixtureSchema(_FrozenSchema):
    value = Fixture
    applications = fields.List(fields.Nested(_ApplicationSchema))
    business_units = fields.List(fields.Nested(_UnitSchema), data_key="businessUnits")
    roles = fields.List(fields.Nested(_RoleSchema))
    users = fields.List(fields.Nested(_UserSchema))
    tables = fields.List(fields.Nested(_TableSchema))
    columns = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(_ColumnSchema)))
    rows = fields.Dict(keys=fields.String(), values=fields.List(fields.Dict()))
    human_resources_rows = fields.Dict(
        keys=fields.String(), values=fields.List(fields.Dict()), data_key="humanResourcesRows"
    )


def read_fixture(path: Path) -> Fixture:
    """Return what a fixture file declares.

    Args:
        path: a JSON file in UTF-8.

    Raises:
        FixtureError: it cannot be read, or something in it is not as it must be.
    """
    try:
        document = json.loads(path.read_text("utf-8-sig"))
        loaded = _FixtureSchema().load(document)
    except OSError as error:
        raise FixtureError(f"{path}: {error.strerror}.") from error
    except ValidationError as error:
        raise FixtureError(f"{path}: {_first(error.messages)}") from error
    except (ValueError, RecursionError) as error:
        raise FixtureError(f"{path}: {error}") from error
    assert isinstance(loaded, Fixture)
    return loaded


def _first(messages: object, place: str = "") -> str:
    """Return the first message of marshmallow's tree with the path that leads to it."""
    match messages:
        case dict():
            key, inner = next(iter(messages.items()))
            return _first(inner, _behind(place, key))
        case list():
            return f"{place}: {messages[0]}".removeprefix(": ")
        case _:
            return f"{place}: {messages}".removeprefix(": ")


def _behind(place: str, key: object) -> str:
    """Return the path of a member; marshmallow's own steps are none of the file's."""
    if key in {"_schema", "value", "key"}:
        return place
    return f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
