"""The tables of an environment as its public metadata describes them, for programs that read and write its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from entities.text import fold
from integration.web_api import WebApi, WebApiError, literal
from odata_server.admin.services import rows, text_of

T = TypeVar("T")

LOOKUPS: Final = frozenset({"Lookup", "Customer", "Owner"})
_NOT_FOUND: Final = 404
_WITH_OPTIONS: Final[Mapping[str, str]] = {
    "Picklist": "PicklistAttributeMetadata",
    "State": "StateAttributeMetadata",
    "Status": "StatusAttributeMetadata",
    "Boolean": "BooleanAttributeMetadata",
    "MultiSelectPicklist": "MultiSelectPicklistAttributeMetadata",
}
_SELECTED: Final = (
    "LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,DisplayName,ObjectTypeCode"
)
_EXPANDED: Final = "Attributes,Keys,ManyToOneRelationships,ManyToManyRelationships"


class NoTableError(Exception):
    """The environment has no such table; one line that says so."""


@dataclass(frozen=True, slots=True)
class RemoteColumn:
    """A column.

    Attributes:
        name: the logical name.
        kind: the type as `AttributeTypeName` says it, without "Type": String, Picklist, MultiSelectPicklist, ….
        targets: the tables that a lookup may point to.
        navigations: of a lookup, the single-valued navigation property by target.
        options: of a choice or yes/no, the number by folded label; a label that two options share is left out.
    """

    name: str
    schema_name: str
    display_name: str
    kind: str
    creatable: bool
    updatable: bool
    readable: bool
    is_date_only: bool = False
    targets: tuple[str, ...] = ()
    navigations: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_lookup(self) -> bool:
        """Whether its values are references to records."""
        return self.kind in LOOKUPS

    def navigation(self, target: str) -> str:
        """Return the navigation property to a target; an owner has one for all."""
        return self.navigations.get(target) or next(iter(self.navigations.values()), self.schema_name)


@dataclass(frozen=True, slots=True)
class RemotePairing:
    """A many-to-many relationship as one of its tables sees it; `near` and `far` are the intersect's columns."""

    schema_name: str
    intersect_table: str
    navigation: str
    target: str
    near: str
    far: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """A table with its columns by logical name; `by_display_name` finds those whose folded label is theirs alone."""

    name: str
    entity_set: str
    primary_id: str
    primary_name: str | None
    display_name: str
    object_type_code: int
    columns: Mapping[str, RemoteColumn]
    keys: tuple[tuple[str, ...], ...]
    pairings: tuple[RemotePairing, ...]
    by_display_name: Mapping[str, RemoteColumn] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = [(fold(c.display_name), c) for c in self.columns.values() if c.display_name]
        object.__setattr__(self, "by_display_name", _unique(named))

    def pairing(self, name: str) -> RemotePairing | None:
        """Return a many-to-many relationship by schema name or by the name of its intersect table."""
        wanted = name.lower()
        return next((p for p in self.pairings if wanted in {p.schema_name.lower(), p.intersect_table.lower()}), None)


class RemoteTables:
    """Reads the definition of each table once, when it is asked for."""

    def __init__(self, service: WebApi) -> None:
        self._service = service
        self._by_name: dict[str, RemoteTable] = {}
        self._names: dict[str, str] | None = None

    def table(self, name: str) -> RemoteTable:
        """Return a table by logical name, schema name or entity set.

        Raises:
            NoTableError: the environment has none of this name.
            WebApiError, ServerUnreachableError, TokenError: as `WebApi.get`.
            UnexpectedAnswerError: what comes is no definition.
        """
        logical = name.lower()
        found = self._by_name.get(logical)
        if found is None:
            found = self._read(logical) or self._read(self._of_entity_set(name))
        if found is None:
            raise NoTableError(f"the environment has no table '{name}'")
        # A name that is an entity set or a schema name is asked for as often as a logical name.
        self._by_name[logical] = self._by_name.setdefault(found.name, found)
        return self._by_name[logical]

    def _of_entity_set(self, entity_set: str) -> str:
        if self._names is None:
            found = rows(self._service, "EntityDefinitions", {"$select": "LogicalName,EntitySetName"})
            self._names = {str(row.get("EntitySetName")): text_of(row, "LogicalName") for row in found}
        return self._names.get(entity_set, "")

    def _read(self, name: str) -> RemoteTable | None:
        if not name:
            return None
        if name in self._by_name:
            return self._by_name[name]
        path = f"EntityDefinitions(LogicalName={literal(name)})"
        try:
            definition = self._service.get(path, {"$select": _SELECTED, "$expand": _EXPANDED})
        except WebApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return _table(definition, self._options(path, definition))

    def _options(self, path: str, definition: Mapping[str, object]) -> Mapping[str, Mapping[str, int]]:
        """Return the numbers of options by column and folded label."""
        kinds = {_kind(attribute) for attribute in _objects(definition.get("Attributes"))}
        found: dict[str, Mapping[str, int]] = {}
        for kind, cast in _WITH_OPTIONS.items():
            if kind not in kinds:
                continue
            query = {"$select": "LogicalName", "$expand": "OptionSet"}
            for row in rows(self._service, f"{path}/Attributes/Microsoft.Dynamics.CRM.{cast}", query):
                found[text_of(row, "LogicalName")] = _unique(_labels(row.get("OptionSet")))
        return found


def _table(definition: Mapping[str, object], options: Mapping[str, Mapping[str, int]]) -> RemoteTable:
    navigations: dict[str, dict[str, str]] = {}
    for relationship in _objects(definition.get("ManyToOneRelationships")):
        by_target = navigations.setdefault(text_of(relationship, "ReferencingAttribute"), {})
        by_target[text_of(relationship, "ReferencedEntity")] = text_of(
            relationship, "ReferencingEntityNavigationPropertyName"
        )
    columns = [
        _column(attribute, navigations, options)
        for attribute in _objects(definition.get("Attributes"))
        if not attribute.get("AttributeOf")
    ]
    name, primary_name = text_of(definition, "LogicalName"), definition.get("PrimaryNameAttribute")
    number = definition.get("ObjectTypeCode")
    return RemoteTable(
        name,
        text_of(definition, "EntitySetName"),
        text_of(definition, "PrimaryIdAttribute"),
        primary_name if isinstance(primary_name, str) and primary_name else None,
        _label(definition.get("DisplayName")),
        number if isinstance(number, int) else 0,
        {column.name: column for column in columns},
        tuple(_texts(key.get("KeyAttributes")) for key in _objects(definition.get("Keys"))),
        tuple(_pairings(name, _objects(definition.get("ManyToManyRelationships")))),
    )


def _column(
    attribute: Mapping[str, object],
    navigations: Mapping[str, Mapping[str, str]],
    options: Mapping[str, Mapping[str, int]],
) -> RemoteColumn:
    name = text_of(attribute, "LogicalName")
    return RemoteColumn(
        name,
        text_of(attribute, "SchemaName"),
        _label(attribute.get("DisplayName")),
        _kind(attribute),
        attribute.get("IsValidForCreate") is True,
        attribute.get("IsValidForUpdate") is True,
        attribute.get("IsValidForRead") is True,
        attribute.get("DateTimeBehavior") == {"Value": "DateOnly"},
        _texts(attribute.get("Targets")),
        navigations.get(name, {}),
        options.get(name, {}),
    )


def _pairings(table: str, found: Iterable[Mapping[str, object]]) -> Iterator[RemotePairing]:
    for row in found:
        is_first = row.get("Entity1LogicalName") == table
        near, far = ("1", "2") if is_first else ("2", "1")
        yield RemotePairing(
            text_of(row, "SchemaName"),
            text_of(row, "IntersectEntityName"),
            text_of(row, f"Entity{near}NavigationPropertyName"),
            text_of(row, f"Entity{far}LogicalName"),
            text_of(row, f"Entity{near}IntersectAttribute"),
            text_of(row, f"Entity{far}IntersectAttribute"),
            is_first,
        )


def _kind(attribute: Mapping[str, object]) -> str:
    match attribute.get("AttributeTypeName"):
        case {"Value": str(name)}:
            return name.removesuffix("Type")
        case _:
            return str(attribute.get("AttributeType"))


def _labels(option_set: object) -> Iterator[tuple[str, int]]:
    """Yield folded label and number of every option, in every language."""
    match option_set:
        case {"Options": list(options)}:
            pass
        case {"TrueOption": dict(on), "FalseOption": dict(off)}:
            options = [off, on]
        case _:
            return
    for option in options:
        match option:
            case {"Value": int(value), "Label": {"LocalizedLabels": list(labels)}}:
                texts = {fold(found["Label"]) for found in labels if isinstance(found.get("Label"), str)}
                yield from ((text, value) for text in texts)
            case _:
                continue


def _unique(named: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Return what names stand for, without those that stand for two things."""
    found: dict[str, T] = {}
    twice: set[str] = set()
    for name, thing in named:
        if name in found:
            twice.add(name)
        found[name] = thing
    return {name: thing for name, thing in found.items() if name not in twice}


def _objects(found: object) -> list[Mapping[str, object]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _texts(found: object) -> tuple[str, ...]:
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def _label(found: object) -> str:
    match found:
        case {"UserLocalizedLabel": {"Label": str(text)}}:
            return text
        case _:
            return ""
