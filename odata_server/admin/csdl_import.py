"""A real environment's `$metadata` as tables and relationships, with everything that had to be guessed.

CSDL says names, EDM types, keys and navigation; it says no lengths, options, labels or cascades. What is guessed in
their place is told per table and column, with the way to supply it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import Choice, Column, LookupType
from entities.metadata.custom_apis import CustomApi
from entities.metadata.declare import owner_columns, with_ids
from entities.metadata.labels import label
from entities.metadata.relationships import ManyToMany, OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Ownership, Table, TableKind
from entities.standard.customization.activities import ACTIVITY
from entities.standard.customization.new_tables import add_tables
from entities.standard.references import with_relationship_id
from odata_server.admin.csdl_columns import ColumnGuess, Properties, hidden_lookup, lookup_name, read_columns
from odata_server.admin.csdl_operations import add_custom_apis, read_custom_apis
from odata_server.admin.csdl_relationships import Lookups, lookups, pairs
from odata_server.admin.csdl_source import OWNER, Source, TableSource, source_of
from odata_server.edm.csdl_document import schema_of
from odata_server.engine.organization import OrganizationService
from security.privileges import privilege_records

FIRST_OBJECT_TYPE_CODE = 10_000
"""Learn: custom tables have codes from here on."""

_EVERYWHERE = ("businessunit", "organization", "systemuser", "team", "transactioncurrency")
"""Tables that every environment has."""

_SECOND = ColumnGuess("A second property of this name is left out.", "Name one of them otherwise.")
_NAMES = ("name", "fullname", "title", "subject", "displayname", "uniquename")
_PLATFORM = ("msdyn", "mserp", "mscrm", "adx", "msfp", "mspp")


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that the document does not say.

    Attributes:
        table: the logical name of the table; empty where the guess is about all of them.
        column: the logical name of the column; empty where the guess is about the table.
        what: what was taken in its place, as a sentence.
        supply: how to say what it really is, as a sentence.
    """

    table: str
    column: str
    what: str
    supply: str


@dataclass(frozen=True, slots=True)
class ImportedSchema:
    """What a schema file declares, ready to be merged into a catalog.

    `custom_apis` are functions and actions that this product does not know. They become rows of custom APIs without a
    plug-in (`csdl_operations.add_custom_apis`): they are declared, and a call does nothing until one is registered.
    """

    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]
    choices: tuple[Choice, ...] = ()
    custom_apis: tuple[CustomApi, ...] = ()
    guesses: tuple[Guess, ...] = ()


_OF_ALL = (
    Guess(
        "",
        "",
        "Schema names and labels are the logical names, but for lookups.",
        "Import EntityDefinitions or a solution.",
    ),
    Guess(
        "",
        "",
        "A deletion takes the links to a record away, and no relationship cascades.",
        "Set CascadeConfiguration of the relationship.",
    ),
    Guess(
        "", "", "No column is required, secured or numbered automatically.", "Import EntityDefinitions or a solution."
    ),
)


def read_csdl(data: bytes) -> ImportedSchema:
    """Return what a metadata document declares.

    Args:
        data: the document, as `GET …/$metadata` sends it.

    Raises:
        MalformedRequest: it is no CSDL of an OData 4.0 service.
    """
    schema = schema_of(data)
    source = source_of(schema)
    led, many = lookups(source), tuple(pairs(source))
    intersects = {pair.intersect_table: pair for pair in many}
    tables, guesses = [], list(_OF_ALL)
    for number, table in enumerate(source.tables.values()):
        made, told = _table(table, source, led, intersects.get(table.name), FIRST_OBJECT_TYPE_CODE + number)
        tables.append(made)
        guesses.extend(told)
    guesses.extend(
        Guess(name, "", f"The navigation property '{navigation}' is left out: it leads to owners, or nowhere.", "")
        for name, navigation in led.skipped
    )
    operations = read_custom_apis(schema, source.tables)
    guesses.extend(
        Guess("", "", f"The operation '{name}' is left out: {why}.", "Declare a custom API.")
        for name, why in operations.left_out
    )
    found: tuple[Relationship, ...] = (*led.relationships, *many)
    related = tuple(map(with_relationship_id, found))
    return ImportedSchema(tuple(tables), related, (), operations.custom_apis, tuple(guesses))


def _table(
    table: TableSource, source: Source, led: Lookups, pair: ManyToMany | None, code: int
) -> tuple[Table, list[Guess]]:
    types = source.properties(table)
    name = _primary_name(table, types, is_pair=pair is not None)
    guesses: list[Guess] = []
    owned = OWNER in led.targets.get(table.name, {})
    targets = _targets(table, source, led)
    written = led.written.get(table.name, {})
    columns: dict[str, Column] = {}
    for read in read_columns(Properties(types, table.primary_id, name, targets, written, owned)):
        is_new = columns.setdefault(read.column.logical_name.lower(), read.column) is read.column
        told = read.guesses if is_new else (_SECOND,)
        guesses.extend(Guess(table.name, read.column.logical_name, guess.what, guess.supply) for guess in told)
    for hidden, to in led.hidden.get(table.name, {}).items():
        columns.setdefault(hidden, hidden_lookup(hidden, to))
    kind = TableKind.BASE if source.is_base(table) else TableKind.STANDARD if pair is None else TableKind.INTERSECT
    if pair is None:
        guesses.extend(_of_table(table.name, name))
    for column in owner_columns() if owned else ():
        # Records need them, also where the document does not show them.
        columns.setdefault(column.logical_name, replace(column, valid_for_read=False))
    made = Table(
        table.name,
        table.name,
        table.entity_set,
        code,
        table.primary_id,
        name,
        tuple(columns.values()),
        label(_shown(table.name)),
        label(_shown(table.entity_set or table.name)),
        ownership=_ownership(types, owned=owned, is_pair=pair is not None),
        kind=kind,
        keys=tuple(_keys(table, columns)),
        base_type=table.base or None,
        is_custom=_is_custom(table.name),
        is_activity=ACTIVITY in (table.name, table.base),
        has_notes=source.leads(table, "annotation"),
        has_activities=source.leads(table, ACTIVITY),
    )
    return with_ids(made), guesses


def _of_table(name: str, primary_name: str | None) -> Iterator[Guess]:
    text = f"'{primary_name}' is the primary name." if primary_name else "The table has no primary name."
    yield Guess(name, "", text, "Set PrimaryNameAttribute of the table.")


def _targets(table: TableSource, source: Source, led: Lookups) -> Mapping[str, tuple[str, ...]]:
    """Return where the lookups of a table lead: by its navigation, else by that of its base, else by their names."""
    base = source.base_of(table)
    inherited = led.targets.get(base.name, {}) if base is not None else {}
    known = {*source.tables, *_EVERYWHERE}
    columns = filter(None, map(lookup_name, source.properties(table)))
    named = {name: (name.removesuffix("id"),) for name in columns if name.endswith("id") and name[:-2] in known}
    return {**named, **inherited, **led.targets.get(table.name, {})}


def _primary_name(table: TableSource, types: Mapping[str, str], *, is_pair: bool) -> str | None:
    if is_pair:
        return None
    prefix = table.name.partition("_")[0] if "_" in table.name else ""
    candidates = (*((f"{prefix}_name",) if prefix else ()), *_NAMES, f"{table.name}name", "logicalname", "schemaname")
    return next((name for name in candidates if types.get(name) == "Edm.String"), None)


def _ownership(types: Mapping[str, str], *, owned: bool, is_pair: bool) -> Ownership:
    if is_pair:
        return Ownership.NONE
    if owned:
        return Ownership.USER
    if "_businessunitid_value" in types or "_owningbusinessunit_value" in types:
        return Ownership.BUSINESS
    return Ownership.ORGANIZATION


def _is_custom(name: str) -> bool:
    prefix, _, rest = name.partition("_")
    return bool(rest) and prefix not in _PLATFORM


def _shown(name: str) -> str:
    return name.partition("_")[2] if _is_custom(name) else name


def _keys(table: TableSource, columns: Mapping[str, Column]) -> Iterator[AlternateKey]:
    """Yield the alternate keys whose columns are there."""
    for properties in table.alternate_keys:
        names = tuple(lookup_name(name) or name for name in properties)
        if names and all(name in columns and columns[name].logical_name == name for name in names):
            key = f"{table.name}_key_{'_'.join(names)}"
            yield AlternateKey(key, names, key, label(key))


def merged(catalog: Catalog, imported: ImportedSchema) -> CatalogChange:
    """Return the change that adds to a catalog what it lacks; existing definitions win.

    Columns and keys that are new are added to tables that are there; a lookup that may lead to several tables may
    then lead to those of the file, too. A relationship is new where neither its name nor its navigation is taken.

    Args:
        catalog: the tables and relationships that are there.
        imported: what a file declares.
    """
    codes = _codes(catalog.by_object_type_code)
    put = []
    for table in imported.tables:
        known = catalog.tables.get(table.logical_name)
        if known is None:
            base = catalog.tables.get(table.base_type or "")
            put.append(replace(_derived(table, base) if base else table, object_type_code=next(codes)))
        elif (grown := _grown(known, table)) != known:
            put.append(grown)
    tables = {**catalog.tables, **{table.logical_name: table for table in put}}
    related = tuple(_new_relationships(catalog, imported.relationships, tables))
    choices = tuple(choice for choice in imported.choices if choice.name not in catalog.choices)
    return CatalogChange(tuple(put), related, choices=choices)


def _derived(table: Table, base: Table) -> Table:
    """Return a table of a file with columns, owner and name of a base that is there, whose definitions win."""
    own = tuple(c for c in table.columns if c.logical_name not in base.by_name or c.logical_name == table.primary_id)
    inherited = (replace(c, metadata_id=None) for c in base.columns if c.logical_name != table.primary_id)
    columns = (_widened(column, table.by_name.get(column.logical_name)) for column in inherited)
    return with_ids(replace(table, columns=(*own, *columns), ownership=base.ownership, primary_name=base.primary_name))


def _codes(taken: Collection[int]) -> Iterator[int]:
    code = FIRST_OBJECT_TYPE_CODE
    while True:
        if code not in taken:
            yield code
        code += 1


def _grown(known: Table, read: Table) -> Table:
    """Return a table with the columns and keys that only the file has."""
    columns = tuple(_widened(column, read.by_name.get(column.logical_name)) for column in known.columns)
    new = tuple(column for column in read.columns if column.logical_name not in known.by_name)
    keyed = {frozenset(key.columns) for key in known.keys}
    keys = tuple(key for key in read.keys if frozenset(key.columns) not in keyed)
    return with_ids(replace(known, columns=(*columns, *new), keys=(*known.keys, *keys)))


def _widened(column: Column, read: Column | None) -> Column:
    """Return a lookup that leads to the tables of the file, too, where it says with each value which table it is."""
    if read is None or not isinstance(column.type, LookupType) or not isinstance(read.type, LookupType):
        return column
    if not column.type.is_polymorphic:
        return column
    further = tuple(target for target in read.type.targets if target not in column.type.targets)
    return replace(column, type=replace(column.type, targets=column.type.targets + further)) if further else column


def _new_relationships(
    catalog: Catalog, relationships: Iterable[Relationship], tables: Mapping[str, Table]
) -> Iterator[Relationship]:
    taken = {name.lower() for name in catalog.relationships}
    for relationship in relationships:
        if relationship.schema_name.lower() in taken or not _fits(relationship, tables):
            continue
        if not any(name in catalog.navigations.get(table, {}) for table, name in _ends(relationship)):
            yield relationship


def _ends(relationship: Relationship) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return table and navigation property of both ends."""
    match relationship:
        case OneToMany() as r:
            return (r.referencing_table, r.referencing_navigation), (r.referenced_table, r.referenced_navigation)
        case ManyToMany() as r:
            return (r.table1, r.navigation1), (r.table2, r.navigation2)


def _fits(relationship: Relationship, tables: Mapping[str, Table]) -> bool:
    """Say whether a relationship's columns are there, and its lookup may lead where it leads."""
    match relationship:
        case OneToMany() as r:
            column = tables[r.referencing_table].by_name.get(r.referencing_column)
            if column is None or r.referenced_table not in tables:
                return False
            return not isinstance(column.type, LookupType) or r.referenced_table in column.type.targets
        case ManyToMany() as r:
            pair = tables.get(r.intersect_table)
            return (
                pair is not None and pair.kind is TableKind.INTERSECT and {r.column1, r.column2} <= pair.by_name.keys()
            )


def apply_schema(service: OrganizationService, imported: ImportedSchema) -> CatalogChange:
    """Add what a file declares to an environment, in one transaction, and return what that was.

    Args:
        service: the environment.
        imported: what the file declares.

    Raises:
        DataverseError: a definition is refused; nothing has changed then.
    """
    with service.changing() as transaction:
        change = merged(transaction.catalog, imported)
        add_tables(transaction, change, privilege_records)
        add_custom_apis(transaction, imported.custom_apis)
    return change
