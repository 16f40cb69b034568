"""Paths of the Organization Data Service as those of the Web API.

    AccountSet(guid'…')/account_primary_contact/FullName/$value      accounts(…)/primarycontactid/fullname/$value
    AccountSet(guid'…')/PrimaryContactId/Id                          accounts(…)/_primarycontactid_value
    AccountSet(guid'…')/$links/contact_customer_accounts(guid'…')    accounts(…)/contact_customer_accounts(…)/$ref

(OData v2, "URI Conventions", 3. Resource Path.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from odata_server.bind.paths import Names as PathNames
from odata_server.bind.paths import not_found, resolve, segment_name
from odata_server.bind.resource import Resource
from odata_server.bind.v2.translation import AS_WEB_API, Meaning, one_level
from odata_server.edm.naming import web_api_property
from odata_server.edm.v2.names import key_property, properties
from odata_server.edm.v2.types import COMPLEX_TYPES, property_type
from odata_server.syntax.paths import parse_path
from odata_server.syntax.percent import decode_segment
from odata_server.syntax.request_trees import (
    Arguments,
    NamedSegment,
    PathSegment,
    ResourcePath,
    SystemName,
    SystemSegment,
)
from odata_server.syntax.tokens import Dialect
from odata_server.syntax.trees import NamedArgument

LINKS: Final = "$links"
_REF: Final = "$ref"
_BEHIND_DATA: Final = frozenset({SystemName.COUNT, SystemName.VALUE, SystemName.REF})


@dataclass(frozen=True, slots=True)
class V2Resource:
    """What a path stands for; `member` is the member of a complex value at its end, empty where there is none."""

    resource: Resource
    member: str = ""


def resolve_v2(path: str, meaning: Meaning) -> V2Resource:
    """Return what a path stands for.

    Args:
        path: behind the service root, without a slash at either end, still encoded.
        meaning: the names.

    Raises:
        SyntaxRefused: it is not well-formed.
        ResourceNotFound: a segment stands for nothing, or for nothing there.
        MalformedRequest: something stands where it cannot, or a key does not fit.
    """
    parsed = parse_path(_with_reference_last(path), dialect=Dialect.VERSION_2)
    walk = _Walk(meaning)
    segments = tuple(found for segment in parsed.segments if (found := walk.translated(segment)) is not None)
    resource = resolve(ResourcePath(segments, parsed.text), PathNames(meaning.names.catalog, AS_WEB_API))
    return V2Resource(resource, walk.member)


def _with_reference_last(path: str) -> str:
    """Return a path in which `$ref` at the end stands for `$links` before the last segment."""
    pieces = [decode_segment(piece) if piece.startswith("%24") else piece for piece in path.split("/")]
    if _REF in pieces:
        raise not_found(_REF)
    if LINKS not in pieces:
        return path
    before, behind = pieces[: pieces.index(LINKS)], pieces[pieces.index(LINKS) + 1 :]
    if not before or len(behind) != 1:
        raise MalformedRequest("The segment '$links' stands between an entity and one navigation property.")
    return "/".join((*before, *behind, _REF))


class _Walk:
    """Translates the segments of one path in order; knows what type the path has come to.

    Args:
        meaning: the names.
    """

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._table: Table | None = None
        self._column: Column | None = None
        self._levels = 0
        self.member = ""

    def translated(self, segment: PathSegment) -> PathSegment | None:
        """Return a segment of the Web API, None for one that the Web API does not have."""
        match segment:
            case NamedSegment() if self._table is None:
                return self._set(segment)
            case NamedSegment() if self._column is not None:
                self._take_member(self._column, segment)
                return None
            case NamedSegment():
                return self._property(self._table, segment)
            case SystemSegment(name=name) if self._table is not None and name in _BEHIND_DATA:
                return segment
            case _:
                raise not_found(segment_name(segment))

    def _set(self, segment: NamedSegment) -> NamedSegment:
        table = self._meaning.names.sets.get(segment.name)
        if table is None:
            raise not_found(segment.name)
        self._table = table
        return NamedSegment(table.entity_set_name, self._keys(segment.arguments, table))

    def _property(self, table: Table | None, segment: NamedSegment) -> NamedSegment:
        assert table is not None
        navigation = self._meaning.names.navigations(table).get(segment.name)
        if navigation is not None:
            self._levels += 1
            if self._meaning.is_faithful and self._levels > 1:
                raise one_level()
            self._table = self._meaning.names.catalog.tables[navigation.target]
            return NamedSegment(navigation.name, self._keys(segment.arguments, self._table))
        self._column = properties(table).get(segment.name)
        if self._column is None or segment.arguments:
            raise not_found(segment.name)
        return NamedSegment(web_api_property(self._column))

    def _take_member(self, column: Column, segment: NamedSegment) -> None:
        members = dict(COMPLEX_TYPES.get(property_type(column.type), ()))
        if self.member or segment.arguments or segment.name not in members:
            raise not_found(segment.name)
        self.member = segment.name

    def _keys(self, arguments: tuple[Arguments, ...], table: Table) -> tuple[Arguments, ...]:
        if arguments == (Arguments(),):
            return ()
        return tuple(replace(given, named=tuple(self._key(given, table))) for given in arguments)

    def _key(self, given: Arguments, table: Table) -> Iterator[NamedArgument]:
        for argument in given.named:
            if argument.name != key_property(table):
                raise MalformedRequest(f"'{argument.name}' is no key of '{table.schema_name}'.")
            yield replace(argument, name=table.primary_id)
