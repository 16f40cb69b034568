"""Tables that a fixture declares, as metadata: a custom table with the columns every Dataverse table has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from entities.auto_numbers import is_format
from entities.metadata import declare
from entities.metadata.columns import Column, Option, Rollup, RollupCondition
from entities.metadata.labels import label
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import AlternateKey, Ownership, Table
from entities.standard.customization.system_columns import plural
from entities.standard.references import reference, system_references, with_relationship_id
from odata_server.admin.fixture_file import ColumnFixture, FixtureError, RollupFixture, TableFixture


def declared_table(fixture: TableFixture, object_type_code: int, known: Collection[str]) -> Table:
    """Return the table that a fixture declares.

    Args:
        fixture: what is declared.
        object_type_code: a number that no other table has.
        known: the tables that are there already.

    Raises:
        FixtureError: a name in it stands for nothing, or for two things.
    """
    name = fixture.schema_name.lower()
    if name in known:
        raise FixtureError(f"table {fixture.schema_name}: there is one of this name already.")
    _check(fixture, {*known, name})
    shown = fixture.display_name or fixture.schema_name.partition("_")[2]
    given = (column for column in fixture.columns if not column.is_derived)
    columns = declare.with_primary_image(made for column in given for made in _columns(column))
    ownership = Ownership(fixture.ownership)
    return declare.with_ids(
        Table(
            name,
            fixture.schema_name,
            plural(name),
            object_type_code,
            f"{name}id",
            fixture.primary_name.lower(),
            (
                declare.primary_id(f"{fixture.schema_name}Id", shown),
                *columns,
                *declare.state_and_status(*declare.ACTIVE_INACTIVE),
                *(declare.owner_columns() if ownership is Ownership.USER else ()),
                *declare.audit_columns(),
            ),
            label(shown),
            label(fixture.plural_name or f"{shown}s"),
            ownership=ownership,
            keys=tuple(_key(name, columns) for columns in fixture.keys),
            is_custom=True,
        )
    )


def with_columns(table: Table, added: Iterable[ColumnFixture]) -> Table:
    """Return a table with further columns: on a table of the system, and those that follow from other columns.

    Args:
        table: the table.
        added: what is declared.

    Raises:
        FixtureError: a column is there already, is a lookup, or says two things that do not go together.
    """
    columns = {column.logical_name: column for column in table.columns}
    for fixture in added:
        if fixture.type in {"Lookup", "File", "Image"}:
            raise FixtureError(f"column {fixture.schema_name}: only a declared table takes a {fixture.type}.")
        for defect in _column_defects(fixture, ()):
            raise FixtureError(f"{defect}.")
        for column in _columns(fixture):
            if column.logical_name in columns:
                raise FixtureError(
                    f"column {fixture.schema_name}: '{table.logical_name}' has one of this name already."
                )
            columns[column.logical_name] = replace(column, is_custom=True)
    return declare.with_ids(replace(table, columns=tuple(columns.values())))


def _check(fixture: TableFixture, known: Collection[str]) -> None:
    defect = next(_defects(fixture, known), None)
    if defect is not None:
        raise FixtureError(f"table {fixture.schema_name}: {defect}.")


def _defects(fixture: TableFixture, known: Collection[str]) -> Iterator[str]:
    columns = {column.schema_name.lower(): column.type for column in fixture.columns if not column.is_derived}
    if len({column.schema_name.lower() for column in fixture.columns}) < len(fixture.columns):
        yield "two of its columns have the same name"
    if columns.get(fixture.primary_name.lower()) != "String":
        yield f"primaryName '{fixture.primary_name}' is none of its text columns"
    for name in (name for key in fixture.keys for name in key if name.lower() not in columns):
        yield f"the key column '{name}' is none of its columns"
    for column in fixture.columns:
        yield from _column_defects(column, known)


def _column_defects(column: ColumnFixture, known: Collection[str]) -> Iterator[str]:
    if (column.type == "Lookup") is not bool(column.targets):
        yield f"column {column.schema_name}: a Lookup has targets, and nothing else has"
    for target in column.targets:
        if target not in known:
            yield f"column {column.schema_name}: there is no table '{target}'"
    if column.is_derived and (column.type in {"Lookup", "File", "Image"} or (column.formula and column.rollup)):
        yield f"column {column.schema_name}: it is either calculated or a rollup, and of another type"
    if column.auto_number_format is not None and column.type != "String":
        yield f"column {column.schema_name}: only a String has automatic numbers"
    elif column.auto_number_format is not None and not is_format(column.auto_number_format):
        yield f"column {column.schema_name}: '{column.auto_number_format}' is no format of automatic numbers"
    if len(set(column.options.values())) < len(column.options):
        yield f"column {column.schema_name}: two of its options have the same number"


def declared_relationships(fixture: TableFixture, table: Table) -> tuple[OneToMany, ...]:
    """Return the relationships of the lookups of a declared table."""
    own = []
    for column in fixture.columns:
        for target in column.targets:
            suffix = f"_{target}" if len(column.targets) > 1 else ""
            schema_name = f"{table.logical_name}_{column.schema_name.lower()}_{target}"
            navigation = f"{column.schema_name}{suffix}"
            own.append(
                reference(table.logical_name, column.schema_name.lower(), target, schema_name, navigation=navigation)
            )
    found = tuple(with_relationship_id(r) for r in (*system_references(table), *own))
    return tuple(r for r in found if isinstance(r, OneToMany))


def _key(table: str, columns: tuple[str, ...]) -> AlternateKey:
    lowered = tuple(column.lower() for column in columns)
    name = f"{table}_key_{'_'.join(lowered)}"
    return AlternateKey(name, lowered, name, label(name))


def _columns(fixture: ColumnFixture) -> tuple[Column, ...]:
    """Return a declared column, of a file with the column that shows its name, of a rollup with date and state."""
    if fixture.type == "File":
        return declare.file(fixture.schema_name, fixture.display_name)
    if fixture.type == "Image":
        return declare.image(fixture.schema_name, fixture.display_name)
    column = replace(_COLUMNS[fixture.type](fixture), autonumber=fixture.auto_number_format)
    if fixture.formula:
        return (declare.calculated(column, fixture.formula),)
    return (column,) if fixture.rollup is None else declare.rollup(column, _rollup(fixture.rollup))


def _rollup(fixture: RollupFixture) -> Rollup:
    conditions = tuple(RollupCondition(c.column.lower(), c.operator, c.values) for c in fixture.conditions)
    table, lookup, column = (name.lower() for name in (fixture.table, fixture.lookup, fixture.column))
    return Rollup(fixture.function.upper(), table, lookup, column, conditions, fixture.hierarchy.lower())


_COLUMNS: Mapping[str, Callable[[ColumnFixture], Column]] = {
    "String": lambda c: declare.string(c.schema_name, c.max_length, c.display_name),
    "Memo": lambda c: declare.memo(c.schema_name, c.max_length, c.display_name),
    "Integer": lambda c: declare.integer(c.schema_name, c.display_name),
    "Decimal": lambda c: declare.decimal(c.schema_name, c.display_name, precision=c.precision),
    "Double": lambda c: declare.double(c.schema_name, c.display_name, precision=min(c.precision, 5)),
    "Money": lambda c: declare.money(c.schema_name, c.display_name, precision=min(c.precision, 4)),
    "Boolean": lambda c: declare.boolean(c.schema_name, c.display_name),
    "DateTime": lambda c: declare.date_time(c.schema_name, c.display_name),
    "DateOnly": lambda c: declare.date_only(c.schema_name, c.display_name),
    "Picklist": lambda c: declare.choice(c.schema_name, _options(c), c.display_name),
    "Lookup": lambda c: declare.lookup(c.schema_name, *c.targets, text=c.display_name),
}


def _options(fixture: ColumnFixture) -> tuple[Option, ...]:
    return tuple(Option(value, label(text)) for text, value in fixture.options.items())
