"""Keys in parentheses as targets: a record by id, or by the values of an alternate or natural key.

Learn: "Retrieve a table row using the Web API", "Use alternate keys".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from entities.errors import InvalidArgument, InvalidPayload, MalformedRequest, ResourceNotFound
from entities.messages import Target
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import KeyIndexStatus, Table
from entities.values import EntityReference, Guid, KeyReference, Value
from odata_server.bind.dialect import Dialect, Style, column_of, type_name
from odata_server.bind.literals import literal_value
from odata_server.edm.naming import edm_type
from odata_server.syntax import trees
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import Arguments, NamedSegment
from odata_server.syntax.tokens import SyntaxRefused

NOT_A_KEY = "0x80060890"
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
"""How a URL with a scheme or a host begins (RFC 3986 §4.2)."""


@dataclass(frozen=True, slots=True)
class RecordUrls:
    """What the URLs of records in a request may look like.

    `roots` are the service roots, absolute and as paths, that they may begin with, without final slash; `references`
    are the URLs that `$n` stands for: of what the requests before in a change set made, by Content-ID.
    """

    roots: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=dict)

    def referenced(self, reference: str) -> str:
        """Return the URL that `$n` stands for.

        Raises:
            InvalidPayload: no request before has that Content-ID.
        """
        url = self.references.get(reference.removeprefix("$"))
        if url is None:
            raise InvalidPayload(
                f"Content-ID Reference: '{reference}' does not exist in the batch context.", code="0x80060888"
            )
        return url


def bind_key(
    arguments: Arguments, table: Table, dialect: Dialect, aliases: Mapping[str, trees.Expression] | None = None
) -> Target:
    """Return the record that a key in parentheses names.

    Args:
        arguments: one GUID, or `name=value` pairs.
        table: the table of the entity set.
        dialect: whose property names and keys apply.
        aliases: parameter aliases of the URL.

    Raises:
        MalformedRequest: the key is no literal, or has the wrong type.
        InvalidArgument: the named columns are no key of the table (0x80060890).
    """
    if arguments.positional:
        return _unnamed(arguments.positional, table, dialect, aliases or {})
    values: dict[str, Value] = {}
    for argument in arguments.named:
        column = column_of(dialect, table, argument.name) or _lookup(dialect, table, argument.name)
        if column is None:
            raise _not_a_key(table, dialect)
        values[column.logical_name] = _referring(_value(argument.value, column, dialect, aliases or {}), column)
    if tuple(values) == (table.primary_id,):
        return EntityReference(table.logical_name, _id(values[table.primary_id]))
    for key in _keys(table, dialect):
        if values.keys() == set(key):
            return KeyReference(table.logical_name, tuple((name, values[name]) for name in key))
    raise _not_a_key(table, dialect)


def _keys(table: Table, dialect: Dialect) -> tuple[tuple[str, ...], ...]:
    if dialect.style is Style.FINANCE:
        return (table.natural_key,)
    return tuple(key.columns for key in table.keys if key.index_status is KeyIndexStatus.ACTIVE)


def _referring(value: Value, column: Column) -> Value:
    """Return a lookup's id as the reference that a new record would hold, where it can only be of one table."""
    if isinstance(column.type, LookupType) and isinstance(value, str) and not column.type.is_polymorphic:
        return EntityReference(column.type.targets[0], Guid(value))
    return value


def _lookup(dialect: Dialect, table: Table, name: str) -> Column | None:
    return table.by_name.get(name) if dialect.style is Style.WEB_API else None


def _not_a_key(table: Table, dialect: Dialect) -> InvalidArgument:
    shown = table.logical_name if dialect.style is Style.WEB_API else table.schema_name
    return InvalidArgument(f"The specified key attributes are not a defined key for the {shown} entity", code=NOT_A_KEY)


def _unnamed(
    positional: tuple[trees.Expression, ...], table: Table, dialect: Dialect, aliases: Mapping[str, trees.Expression]
) -> Target:
    if len(positional) == 1 and dialect.style is Style.WEB_API:
        value = _value(positional[0], table.by_name[table.primary_id], dialect, aliases)
        return EntityReference(table.logical_name, _id(value))
    if len(positional) == 1 and len(table.natural_key) == 1:
        name = table.natural_key[0]
        value = _value(positional[0], table.by_name[name], dialect, aliases)
        return KeyReference(table.logical_name, ((name, value),))
    raise MalformedRequest(
        f"The number of keys specified in the URI does not match number of key properties for the resource "
        f"'{type_name(dialect, table)}'."
    )


def _value(
    expression: trees.Expression, column: Column, dialect: Dialect, aliases: Mapping[str, trees.Expression]
) -> Value:
    if isinstance(expression, trees.Alias):
        expression = aliases.get(expression.name, expression)
    if not isinstance(expression, trees.Literal | trees.EnumLiteral):
        raise MalformedRequest("A key in parentheses must be a literal.")
    is_text = isinstance(expression, trees.Literal) and expression.kind is trees.LiteralKind.STRING
    if isinstance(expression, trees.Literal) and is_text and edm_type(column.type) == "Edm.Guid":
        raise MalformedRequest(f"Cannot convert the literal {expression.text} to the expected type 'Edm.Guid'.")
    return literal_value(expression, column, dialect)


def _id(value: Value) -> Guid:
    if not isinstance(value, str):
        raise MalformedRequest("A record's id cannot be null.")
    return Guid(value)


def bind_reference(url: str, catalog: Catalog, dialect: Dialect, urls: RecordUrls) -> Target:
    """Return the record that a URL in a body names (`nav@odata.bind`, `@odata.id`).

    Args:
        url: relative to the service root, with a leading slash or not, rooted, or absolute; or `$n`.
        catalog: the tables.
        dialect: whose names apply.
        urls: what the URLs of records may look like.

    Raises:
        MalformedRequest: the URL is of another service or no record's URL.
        ResourceNotFound: the entity set is unknown.
        InvalidPayload: `$n` stands for nothing.
    """
    if url.startswith("$"):
        url = urls.referenced(url)
    relative = _relative(url, urls.roots)
    try:
        path = parse_path(relative)
    except SyntaxRefused as error:
        raise MalformedRequest(str(error)) from error
    match path.segments:
        case (NamedSegment(name=name, arguments=(key,)),):
            table = catalog.by_entity_set.get(name)
            if table is None:
                raise ResourceNotFound(f"Resource not found for the segment '{name}'.", code="0x80060888")
            return bind_key(key, table, dialect)
        case _:
            raise MalformedRequest(f"The URL '{url}' does not name a record.")


def _relative(url: str, roots: tuple[str, ...]) -> str:
    """Return a URL's part behind the service root; any version of this host's service is the same service."""
    for root in roots:
        if url.startswith(root + "/"):
            return url[len(root) + 1 :]
    if _ELSEWHERE.match(url):
        raise MalformedRequest(f"The URL '{unquote(url)}' is not part of this service.")
    return url.removeprefix("/")
