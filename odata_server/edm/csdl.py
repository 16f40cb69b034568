"""`$metadata` of the Web API: a catalog as CSDL 4.0, in the form of Dataverse's own document.

Types by alias, bindings by full namespace; tables in the order of their sets, operations and types behind them
(Learn: "Web API service documents"). `csdl_tables` writes the tables, this module what is around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.custom_apis import CustomApi
from entities.metadata.tables import Table
from odata_server.edm.alternate_keys import NAMESPACE
from odata_server.edm.csdl_definitions import complex_type_xml, definition_sets_xml, definition_types_xml, enums_xml
from odata_server.edm.csdl_tables import BASE, CAPABILITIES, CORE, Written, key_xml, written
from odata_server.edm.custom_apis import operation_of, response_type, told
from odata_server.edm.definition_values import COMPLEX_TYPES, ENUM_TYPES
from odata_server.edm.naming import PRINCIPAL, WEB_API_ALIAS, WEB_API_NAMESPACE
from odata_server.edm.operation_list import documented_operations, told_enums, told_types
from odata_server.edm.operations import import_xml, operation_xml, takes_bulk
from odata_server.edm.query_functions import query_functions_xml
from odata_server.edm.xml_text import DECLARATION, empty, escaped, opened

EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
_REFERENCES: Final = ((NAMESPACE, "Keys"), ("OData.Community.Display.V1", "Display"))
_STREAMING: Final = ("; odata.streaming=true", "; odata.streaming=false", "")
_LEVELS: Final = ("; odata.metadata=minimal", "; odata.metadata=full", "; odata.metadata=none", "")


class CsdlWriter:
    """Writes the document of one snapshot after the other, and of each only what is new.

    Args:
        annotated: whether descriptions and permissions are written too (`?annotations=true`).
    """

    def __init__(self, *, annotated: bool = False) -> None:
        self._annotated = annotated
        self._written: dict[str, Written] = {}

    def document(self, catalog: Catalog) -> bytes:
        """Return the metadata document of a catalog."""
        bases = frozenset(table.base_type for table in catalog.tables.values() if table.base_type)
        earlier = self._written
        # Two threads may do this at the same time: each has a dictionary of its own, and one stays.
        self._written = now = {
            name: written(catalog, table, earlier.get(name), bases, annotated=self._annotated)
            for name, table in sorted(catalog.tables.items(), key=lambda pair: pair[1].entity_set_name or pair[0])
        }
        return "".join(_document(catalog, tuple(now.values()))).encode()


def csdl(catalog: Catalog, *, annotated: bool = False) -> bytes:
    """Return the metadata document of a catalog.

    Args:
        catalog: tables, relationships and custom APIs.
        annotated: whether descriptions and permissions are written too (`?annotations=true`).
    """
    return CsdlWriter(annotated=annotated).document(catalog)


def _document(catalog: Catalog, tables: tuple[Written, ...]) -> Iterator[str]:
    custom = told(catalog)
    yield DECLARATION
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" Version="4.0">'
    for namespace, alias in _REFERENCES:
        yield f'<edmx:Reference Uri="http://vocabularies.odata.org/{namespace}.xml">'
        yield empty("edmx:Include", Namespace=namespace, Alias=alias)
        yield empty("edmx:IncludeAnnotations", TermNamespace=namespace)
        yield "</edmx:Reference>"
    yield f'<edmx:DataServices><Schema xmlns="{EDM}" Namespace="{WEB_API_NAMESPACE}" Alias="{WEB_API_ALIAS}">'
    yield empty("EntityType", Name=BASE, Abstract="true")
    yield empty("EntityType", Name="expando", BaseType=f"{WEB_API_ALIAS}.{BASE}", OpenType="true")
    yield opened("EntityType", Name=PRINCIPAL, BaseType=f"{WEB_API_ALIAS}.{BASE}", Abstract="true")
    yield key_xml("ownerid")
    yield empty("Property", Name="ownerid", Type="Edm.Guid")
    yield from (table.owned for table in tables)
    yield "</EntityType>"
    yield from (table.entity_type for table in tables)
    yield from _operations(catalog, custom)
    yield _definitions()
    yield from (text for text, needed in _told_types() if needed <= catalog.tables.keys())
    yield from (complex_type_xml(found) for found in map(response_type, custom) if found is not None)
    yield _enums_and_terms()
    yield opened("EntityContainer", Name="System")
    yield from (table.entity_set for table in tables)
    yield from (written_import for needed, _, written_import in _told_operations() if needed <= catalog.tables.keys())
    yield from (import_xml(operation) for operation in map(operation_of, custom) if operation.bound is None)
    yield _end_of_container()
    yield "</Schema></edmx:DataServices></edmx:Edmx>"


def _operations(catalog: Catalog, custom: tuple[CustomApi, ...]) -> Iterator[str]:
    """Yield the operations whose tables are there, the messages about several records once per table."""
    yield from (text for needed, text, _ in _told_operations() if needed <= catalog.tables.keys())
    for table in catalog.tables.values():
        yield table.derived(_bulk_operations)
    yield from ("".join(operation_xml(operation_of(api))) for api in custom)


def _bulk_operations(table: Table) -> str:
    """Return the messages about several records of a table (Learn: "Use bulk operation messages")."""
    if not takes_bulk(table):
        return ""
    return _any_table().replace(f"{WEB_API_ALIAS}.{BASE}", f"{WEB_API_ALIAS}.{escaped(table.logical_name)}")


@cache
def _any_table() -> str:
    """Return the operations that any table has, as those of the base of all tables."""
    found = (operation for operation in documented_operations() if operation.is_of_any_table)
    return "".join("".join(operation_xml(operation)) for operation in found)


@cache
def _told_operations() -> tuple[tuple[frozenset[str], str, str], ...]:
    """Return what is written of each operation: the tables that it needs, its declaration and its import."""
    return tuple(
        (operation.needed, "".join(operation_xml(operation)), "" if operation.bound else import_xml(operation))
        for operation in documented_operations()
        if not operation.is_of_any_table
    )


@cache
def _told_types() -> tuple[tuple[str, frozenset[str]], ...]:
    """Return what is written of each complex type, and the tables that it needs."""
    own = tuple((complex_type_xml(type_), frozenset[str]()) for type_ in COMPLEX_TYPES)
    return own + tuple((complex_type_xml(type_), tables - {BASE}) for type_, tables in told_types())


@cache
def _definitions() -> str:
    return "".join((*query_functions_xml(), *definition_types_xml()))


@cache
def _enums_and_terms() -> str:
    return "".join((*enums_xml((*ENUM_TYPES, *told_enums())), *_terms()))


@cache
def _end_of_container() -> str:
    return "".join((*definition_sets_xml(), *_capabilities(), "</EntityContainer>"))


def _terms() -> Iterator[str]:
    for name, description in (
        ("associatednavigationproperty", "Navigation property that a lookup's value belongs to"),
        ("lookuplogicalname", "Logical name of the table that a lookup's value refers to"),
    ):
        yield opened("Term", Name=name, Type="Edm.String", AppliesTo="PropertyValue")
        yield empty("Annotation", Term=f"{CORE}.Description", String=description)
        yield "</Term>"


def _capabilities() -> Iterator[str]:
    """Yield what the service says of itself: OData 4.0 at the intermediate level."""
    level = f"{CAPABILITIES}.ConformanceLevelType/Intermediate"
    yield f'<Annotation Term="{CAPABILITIES}.ConformanceLevel"><EnumMember>{level}</EnumMember></Annotation>'
    yield from _strings("FilterFunctions", ("contains", "endswith", "startswith"))
    for term, value in (
        (f"{CORE}.DereferenceableIDs", "true"),
        (f"{CORE}.ConventionalIDs", "true"),
        (f"{CAPABILITIES}.BatchSupported", "true"),
        (f"{CAPABILITIES}.AsynchronousRequestsSupported", "false"),
        (f"{CAPABILITIES}.BatchContinueOnErrorSupported", "true"),
        (f"{CAPABILITIES}.CrossJoinSupported", "false"),
    ):
        yield empty("Annotation", Term=term, Bool=value)
    formats = tuple(f"application/json{level}{streaming}" for level in _LEVELS for streaming in _STREAMING)
    yield from _strings("SupportedFormats", (*formats, "application/xml"))


def _strings(term: str, texts: tuple[str, ...]) -> Iterator[str]:
    yield f'<Annotation Term="{CAPABILITIES}.{term}"><Collection>'
    yield from (f"<String>{text}</String>" for text in texts)
    yield "</Collection></Annotation>"
