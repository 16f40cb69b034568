"""Definitions written over HTTP: POST, PUT and DELETE of tables, columns, keys, relationships and global choices.

```
EntityDefinitions                                    POST
EntityDefinitions(key)                               PUT DELETE
EntityDefinitions(key)/Attributes                    POST
EntityDefinitions(key)/Attributes(key) [ "/" cast ]  PUT DELETE
EntityDefinitions(key)/Keys                          POST
EntityDefinitions(key)/Keys(key)                     DELETE
RelationshipDefinitions                              POST
RelationshipDefinitions(key) [ "/" cast ]            PUT DELETE
GlobalOptionSetDefinitions                           POST
GlobalOptionSetDefinitions(key) [ "/" cast ]         PUT DELETE
```

A definition is replaced as a whole: PATCH is no way to change one (Learn: "Create and update table definitions using
the Web API"). Each request is a message with the name that the SDK has for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from entities.errors import InvalidArgument, MethodNotAllowed
from entities.messages import Execute, Executed
from entities.metadata.columns import Choice, Column
from entities.metadata.ids import choice_id, column_id, key_id, relationship_id, table_id
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table
from odata_server.bind.definitions.checking import checked
from odata_server.bind.definitions.choices import read_choice
from odata_server.bind.definitions.columns import changed_column, read_column
from odata_server.bind.definitions.keys import read_key
from odata_server.bind.definitions.relationships import changed_relationship, read_relationship
from odata_server.bind.definitions.tables import changed_table, read_table
from odata_server.bind.json_body import read_object
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.endpoints.call import Call
from odata_server.endpoints.definition_paths import definition_key, no_definition, no_segment
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.responses import no_content
from odata_server.render.definition_columns import plain_column_values
from odata_server.render.definition_further import telling
from odata_server.render.definition_tables import plain_table_values
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import NamedSegment, PathSegment

T = TypeVar("T")

_MERGE: Final = "mscrm.mergelabels"
_TABLES: Final = "EntityDefinitions"
_COLUMNS: Final = "Attributes"
_KEYS: Final = "Keys"
_RELATIONSHIPS: Final = "RelationshipDefinitions"
_CHOICES: Final = "GlobalOptionSetDefinitions"


@dataclass(frozen=True, slots=True)
class _Place:
    """What a path leads to: a set of definitions, or one of them, inside of a table for columns and keys.

    `cast` is the derived type that the path names.
    """

    call: Call
    set_name: str
    key: tuple[str, str] | None = None
    table: Table | None = None
    cast: str | None = None

    def body(self, what: str) -> dict[str, object]:
        """Return the body of the request, of the type of the path where it names none (OData JSON 4.01 §4.5.3)."""
        given = read_object(self.call.request.body, what)
        return given if self.cast is None else {"@odata.type": self.cast} | given

    def within(self) -> Table:
        """Return the table that a column or a key belongs to."""
        assert self.table is not None
        return self.table

    def execute(self, name: str, **parameters: object) -> Mapping[str, Any]:
        """Execute a message and return what it answers."""
        done = self.call.organization.execute(Execute(name, parameters), self.call.principal)
        return done.result if isinstance(done, Executed) else {}

    def changed(self, name: str, **parameters: object) -> ODataResponse:
        """Execute a message that changes something, and answer."""
        self.execute(name, **parameters)
        return no_content(self.call.services)

    def updated(self, name: str, **parameters: object) -> ODataResponse:
        """Execute a message that replaces a definition, and answer."""
        merges = self.call.request.header(_MERGE).strip().lower() == "true"
        self.execute(name, **parameters, MergeLabels=merges)
        return no_content(self.call.services, ("OData-EntityId", f"{self.call.root}/{self.call.path}"))

    def created(self, made: object) -> ODataResponse:
        """Answer that a definition has been made, below the path that the request had."""
        return no_content(self.call.services, ("OData-EntityId", f"{self.call.root}/{self.call.path}({made})"))


_Verb: TypeAlias = Callable[[_Place], ODataResponse]


def write_definition(call: Call) -> ODataResponse:
    """Answer a request that makes, replaces or deletes a definition.

    Raises:
        DataverseError: it is refused; nothing has changed.
        SyntaxRefused: its path is not well-formed.
    """
    place = _place(call)
    verbs = _OF_SET if place.key is None else _OF_ONE
    verb = verbs[place.set_name].get(call.request.method)
    if verb is None:
        raise MethodNotAllowed(f"The requested resource does not support http method '{call.request.method}'.")
    return verb(place)


def _place(call: Call) -> _Place:
    first, *rest = parse_path(call.path).segments
    if not isinstance(first, NamedSegment) or first.name not in _OF_SET or first.name in {_COLUMNS, _KEYS}:
        raise no_segment(first)
    place = _Place(call, first.name, _key_of(first, _TYPES[first.name]))
    if first.name == _TABLES and place.key is not None:
        place = replace(place, table=_table(place))
        if rest and isinstance(rest[0], NamedSegment) and rest[0].name in {_COLUMNS, _KEYS}:
            inner = rest.pop(0)
            assert isinstance(inner, NamedSegment)
            place = replace(place, set_name=inner.name, key=_key_of(inner, _TYPES[inner.name]))
    return _cast(place, rest)


def _cast(place: _Place, rest: list[PathSegment]) -> _Place:
    """Return the place, which may be seen as a derived type."""
    if not rest:
        return place
    first, *more = rest
    is_cast = isinstance(first, NamedSegment) and first.name.startswith(f"{WEB_API_NAMESPACE}.")
    if not is_cast or place.key is None or more:
        raise no_segment(first)
    assert isinstance(first, NamedSegment)
    return replace(place, cast=first.name)


def _key_of(segment: NamedSegment, type_name: str) -> tuple[str, str] | None:
    return definition_key(segment, type_name, {}) if segment.arguments else None


def _found(place: _Place, items: Iterable[tuple[str, str, T]]) -> T:
    """Return the definition whose id or name a key gives.

    Args:
        place: where the path leads.
        items: id, name and definition.

    Raises:
        RecordNotFound: none has it.
    """
    assert place.key is not None
    name, value = place.key
    for identifier, known, item in items:
        if value == (identifier if name == "MetadataId" else known):
            return item
    raise no_definition(_TYPES[place.set_name], name, value)


def _table(place: _Place) -> Table:
    tables = place.call.catalog.tables.values()
    return _found(place, ((table_id(t), t.logical_name, t) for t in tables))


def _column(place: _Place) -> Column:
    table = place.within()
    return _found(place, ((column_id(table, c), c.logical_name, c) for c in table.columns))


def _alternate_key(place: _Place) -> AlternateKey:
    table = place.within()
    return _found(place, ((key_id(table, k), k.logical_name, k) for k in table.keys))


def _relationship(place: _Place) -> Relationship:
    relationships = place.call.catalog.relationships.values()
    return _found(place, ((relationship_id(r), r.schema_name, r) for r in relationships))


def _choice(place: _Place) -> Choice:
    return _found(place, ((choice_id(c), c.name, c) for c in place.call.catalog.choices.values()))


def _create_table(place: _Place) -> ODataResponse:
    made = place.execute("CreateEntity", Entity=read_table(place.body("EntityMetadata"), place.call.catalog.choices))
    return place.created(made["EntityId"])


def _update_table(place: _Place) -> ODataResponse:
    body, table = place.body("EntityMetadata"), place.within()
    _check_same(body, "LogicalName", table.logical_name)
    after = changed_table(body, table)
    further = telling(after.further, plain_table_values(table))
    return place.updated("UpdateEntity", Entity=replace(after, further=further))


def _delete_table(place: _Place) -> ODataResponse:
    return place.changed("DeleteEntity", LogicalName=place.within().logical_name)


def _create_column(place: _Place) -> ODataResponse:
    table = place.within()
    column = read_column(place.body("AttributeMetadata"), table.logical_name, place.call.catalog.choices)
    made = place.execute("CreateAttribute", EntityName=table.logical_name, Attribute=column)
    return place.created(made["AttributeId"])


def _update_column(place: _Place) -> ODataResponse:
    body, table, column = place.body("AttributeMetadata"), place.within(), _column(place)
    _check_same(body, "LogicalName", column.logical_name)
    after = changed_column(body, table, column)
    further = telling(after.further, plain_column_values(table, after, 0))
    return place.updated("UpdateAttribute", EntityName=table.logical_name, Attribute=replace(after, further=further))


def _delete_column(place: _Place) -> ODataResponse:
    table, column = place.within(), _column(place)
    names = {"EntityLogicalName": table.logical_name, "LogicalName": column.logical_name}
    return place.changed("DeleteAttribute", **names)


def _create_key(place: _Place) -> ODataResponse:
    table = place.within()
    key = read_key(place.body("EntityKeyMetadata"))
    made = place.execute("CreateEntityKey", EntityName=table.logical_name, EntityKey=key)
    return place.created(made["EntityKeyId"])


def _delete_key(place: _Place) -> ODataResponse:
    table, key = place.within(), _alternate_key(place)
    return place.changed("DeleteEntityKey", EntityLogicalName=table.logical_name, Name=key.logical_name)


def _create_relationship(place: _Place) -> ODataResponse:
    new = read_relationship(place.body("RelationshipMetadataBase"))
    if isinstance(new.relationship, OneToMany):
        parameters = {"OneToManyRelationship": new.relationship, "Lookup": new.lookup}
        made = place.execute("CreateOneToMany", **parameters)["RelationshipId"]
    else:
        made = place.execute("CreateManyToMany", ManyToManyRelationship=new.relationship)["ManyToManyRelationshipId"]
    return place.created(made)


def _update_relationship(place: _Place) -> ODataResponse:
    body, relationship = place.body("RelationshipMetadataBase"), _relationship(place)
    _check_same(body, "SchemaName", relationship.schema_name)
    return place.updated("UpdateRelationship", Relationship=changed_relationship(body, relationship))


def _delete_relationship(place: _Place) -> ODataResponse:
    return place.changed("DeleteRelationship", Name=_relationship(place).schema_name)


def _create_choice(place: _Place) -> ODataResponse:
    choice = read_choice(checked(place.body("OptionSetMetadataBase"), "OptionSetMetadataBase"))
    made = place.execute("CreateOptionSet", OptionSet=choice)
    return place.created(made["OptionSetId"])


def _update_choice(place: _Place) -> ODataResponse:
    body, choice = place.body("OptionSetMetadataBase"), _choice(place)
    _check_same(body, "Name", choice.name)
    return place.updated("UpdateOptionSet", OptionSet=read_choice(checked(body, "OptionSetMetadata"), choice))


def _delete_choice(place: _Place) -> ODataResponse:
    return place.changed("DeleteOptionSet", Name=_choice(place).name)


def _check_same(body: Mapping[str, object], member: str, name: str) -> None:
    """Refuse a definition that says to be another one than that at its URL.

    Raises:
        InvalidArgument: it does.
    """
    given = body.get(member)
    if given is not None and given != name:
        raise InvalidArgument(f"The {member} of the definition is not '{name}', as its URL says.")


_TYPES: Final[Mapping[str, str]] = {
    _TABLES: "EntityMetadata",
    _COLUMNS: "AttributeMetadata",
    _KEYS: "EntityKeyMetadata",
    _RELATIONSHIPS: "RelationshipMetadataBase",
    _CHOICES: "OptionSetMetadataBase",
}
_OF_SET: Final[Mapping[str, Mapping[str, _Verb]]] = {
    _TABLES: {"POST": _create_table},
    _COLUMNS: {"POST": _create_column},
    _KEYS: {"POST": _create_key},
    _RELATIONSHIPS: {"POST": _create_relationship},
    _CHOICES: {"POST": _create_choice},
}
_OF_ONE: Final[Mapping[str, Mapping[str, _Verb]]] = {
    _TABLES: {"PUT": _update_table, "DELETE": _delete_table},
    _COLUMNS: {"PUT": _update_column, "DELETE": _delete_column},
    _KEYS: {"DELETE": _delete_key},
    _RELATIONSHIPS: {"PUT": _update_relationship, "DELETE": _delete_relationship},
    _CHOICES: {"PUT": _update_choice, "DELETE": _delete_choice},
}
