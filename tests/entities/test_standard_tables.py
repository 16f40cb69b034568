"""The standard tables are declared as Dataverse's own $metadata declares them."""

from __future__ import annotations

from collections import Counter

import pytest
from real_metadata import EDM, NEWER_COLUMNS, NEWER_TABLES, edm_property, real_metadata, real_properties, real_types

from entities.metadata.catalog import ends_of
from entities.metadata.columns import LookupType, UniqueIdentifierType
from entities.metadata.relationships import ManyToMany, OneToMany
from entities.metadata.tables import Ownership
from entities.standard.environment import standard_catalog, standard_library

CATALOG = standard_catalog(1)
STANDARD_TABLES = standard_library().tables
STANDARD_RELATIONSHIPS = standard_library().relationships
NAMES = tuple(table.logical_name for table in STANDARD_TABLES)

# These come with the first file or image of a table (Learn: "Use file column data").
_RELATIONSHIPS_OF_FILES = {f"{name}_FileAttachments" for name in ("account", "contact", "systemuser")}
_UNKNOWN_RELATIONSHIPS = {"user_goalrollupquery"}


def points_somewhere(table: str, column: str) -> bool:
    """Tell whether the real metadata has a navigation property of a lookup on the table itself."""
    constraint = f"e:NavigationProperty/e:ReferentialConstraint[@Property='_{column}_value']"
    return real_types(table)[0].find(constraint, EDM) is not None


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEWER_TABLES])
def test_every_column_has_the_name_and_type_of_the_real_metadata(name):
    real = real_properties(name)
    declared = dict(
        edm_property(column)
        for column in CATALOG.tables[name].columns
        if (name, column.logical_name) not in NEWER_COLUMNS
    )
    assert declared.items() <= real.items(), declared.items() - real.items()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEWER_TABLES])
def test_every_lookup_navigation_and_its_partner_are_those_of_the_real_metadata(name):
    real = {
        (p.get("Name"), p.get("Partner"))
        for p in real_types(name)[0].iterfind("e:NavigationProperty", EDM)
        if not p.get("Type").startswith("Collection")
    }
    declared = {
        (r.referencing_navigation, r.referenced_navigation)
        for r in STANDARD_RELATIONSHIPS
        if isinstance(r, OneToMany) and r.referencing_table == name and r.referenced_table not in NEWER_TABLES
        if r.schema_name not in _RELATIONSHIPS_OF_FILES | _UNKNOWN_RELATIONSHIPS
        if (name, r.referencing_column) not in NEWER_COLUMNS
    }
    assert declared <= real, declared - real


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEWER_TABLES])
def test_every_set_has_the_name_of_the_real_metadata(name):
    sets = {
        s.get("EntityType").rpartition(".")[2]: s.get("Name") for s in real_metadata().iterfind(".//e:EntitySet", EDM)
    }
    assert CATALOG.tables[name].entity_set_name == sets[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_lookup_points_to_tables_that_exist_and_has_a_navigation_property_to_one_of_them(name):
    for column in CATALOG.tables[name].lookups():
        assert isinstance(column.type, LookupType)
        assert set(column.type.targets) <= CATALOG.tables.keys()
        targets = {n.target for n in CATALOG.lookup_navigations(name, column.logical_name)}
        assert targets or name in NEWER_TABLES or not points_somewhere(name, column.logical_name)
        assert targets <= set(column.type.targets)


def test_both_ends_of_every_relationship_exist():
    assert [r.schema_name for r in STANDARD_RELATIONSHIPS if not set(ends_of(r)) <= CATALOG.tables.keys()] == []


def test_a_relationship_leads_from_a_lookup_to_the_id_of_a_table():
    for r in STANDARD_RELATIONSHIPS:
        if isinstance(r, OneToMany):
            assert r.referenced_column == CATALOG.tables[r.referenced_table].primary_id, r.schema_name
            column = CATALOG.tables[r.referencing_table].by_name[r.referencing_column]
            # The references of user settings are plain GUIDs in $metadata.
            is_plain = r.referencing_table == "usersettings" and not isinstance(column.type, LookupType)
            assert isinstance(column.type, UniqueIdentifierType if is_plain else LookupType), r.schema_name


def test_pairs_have_the_ids_of_both_tables():
    for r in STANDARD_RELATIONSHIPS:
        if isinstance(r, ManyToMany):
            assert {r.column1, r.column2} <= CATALOG.tables[r.intersect_table].by_name.keys()
            # A table that is paired with itself has another name for the other end.
            ends = (CATALOG.tables[r.table1].primary_id, CATALOG.tables[r.table2].primary_id)
            own_name = (ends[0], f"associated{ends[1]}") if r.table1 == r.table2 else ends
            assert (r.column1, r.column2) == own_name, r.schema_name


@pytest.mark.parametrize("name", NAMES)
def test_a_table_has_the_columns_that_say_whose_its_rows_are(name):
    table = CATALOG.tables[name]
    needed = {
        Ownership.USER: {"ownerid", "owningbusinessunit", "owninguser", "owningteam"},
        Ownership.BUSINESS: set() if name == "usersettings" else {"businessunitid"},
    }
    own_unit = {"businessunitid"} if name == "businessunit" else set()
    assert needed.get(table.ownership, set()) - own_unit <= table.by_name.keys()


def test_names_codes_and_ids_are_unique():
    uniques = {
        "entity set": [t.entity_set_name for t in STANDARD_TABLES],
        "object type code": [t.object_type_code for t in STANDARD_TABLES],
        "relationship": [r.schema_name for r in STANDARD_RELATIONSHIPS],
        "relationship id": [r.metadata_id for r in STANDARD_RELATIONSHIPS],
        "metadata id": [c.metadata_id for t in STANDARD_TABLES for c in t.columns],
        "table id": [t.metadata_id for t in STANDARD_TABLES],
    }
    for kind, values in uniques.items():
        assert None not in values, kind
        assert [v for v, n in Counter(values).items() if n > 1] == [], kind


@pytest.mark.parametrize("name", NAMES)
def test_navigation_properties_are_unique_per_table(name):
    found = Counter(
        end
        for r in STANDARD_RELATIONSHIPS
        for end in (
            [(r.referencing_table, r.referencing_navigation), (r.referenced_table, r.referenced_navigation)]
            if isinstance(r, OneToMany)
            else [(r.table1, r.navigation1), (r.table2, r.navigation2)]
        )
        if end[0] == name
    )
    assert [end for end, times in found.items() if times > 1] == []
    columns = CATALOG.tables[name].by_name
    clashes = [n for _, n in found if n in columns and not isinstance(columns[n].type, LookupType)]
    assert clashes == []


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_declared_once(name):
    table = CATALOG.tables[name]
    assert len(table.by_name) == len(table.columns)
    assert table.primary_id in table.by_name
    assert table.primary_name is None or table.primary_name in table.by_name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("account", 1),
        ("contact", 2),
        ("systemuser", 8),
        ("team", 9),
        ("businessunit", 10),
        ("organization", 1019),
        ("privilege", 1023),
        ("role", 1036),
        ("task", 4212),
        ("asyncoperation", 4700),
        ("solution", 7100),
        ("publisher", 7101),
        ("transactioncurrency", 9105),
    ],
)
def test_object_type_codes_are_those_of_dataverse(name, code):
    assert CATALOG.by_object_type_code[code].logical_name == name
