"""Which privileges a table has, at which depths, under which names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from entities.metadata.declare import derived_id
from entities.metadata.tables import ExternalSource, Ownership, TableKind
from entities.standard.environment import standard_catalog
from entities.standard.seed import STANDARD_ROLES
from security.privileges import (
    CUSTOMIZATION_PRIVILEGES,
    AccessRight,
    Depth,
    environment_privilege_records,
    environment_privileges,
    privilege_named,
    privilege_records,
    table_privilege,
    table_privileges,
)

CATALOG = standard_catalog(1)
ACCOUNT = CATALOG.tables["account"]
VIRTUAL = replace(
    ACCOUNT,
    logical_name="mserp_worker",
    schema_name="mserp_Worker",
    ownership=Ownership.ORGANIZATION,
    kind=TableKind.VIRTUAL,
    source=ExternalSource("finance_operations", "Worker", "Workers", derived_id("provider")),
)
ROW_RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo")


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (ACCOUNT, [f"prv{right}Account" for right in (*ROW_RIGHTS, "Assign", "Share")]),
        (CATALOG.tables["transactioncurrency"], [f"prv{right}TransactionCurrency" for right in ROW_RIGHTS]),
        (CATALOG.tables["systemuser"], [f"prv{right}User" for right in ROW_RIGHTS]),
        (CATALOG.tables["businessunit"], [f"prv{right}BusinessUnit" for right in ROW_RIGHTS]),
        (CATALOG.tables["role"], [f"prv{right}Role" for right in (*ROW_RIGHTS, "Assign")]),
        (CATALOG.tables["privilege"], ["prvReadPrivilege"]),
        (VIRTUAL, [f"prv{right}mserp_Worker" for right in ROW_RIGHTS]),
        (CATALOG.tables["systemuserroles"], []),
        (CATALOG.tables["roletemplate"], []),
    ],
    ids=lambda value: getattr(value, "logical_name", ""),
)
def test_a_table_has_the_privileges_of_its_ownership(table, names):
    assert [privilege.name for privilege in table_privileges(table)] == names


@pytest.mark.parametrize(
    ("name", "depths"),
    [
        ("account", {Depth.BASIC, Depth.LOCAL, Depth.DEEP, Depth.GLOBAL}),
        ("systemuser", {Depth.BASIC, Depth.LOCAL, Depth.DEEP, Depth.GLOBAL}),
        ("role", {Depth.LOCAL, Depth.DEEP, Depth.GLOBAL}),
        ("transactioncurrency", {Depth.GLOBAL}),
    ],
)
def test_depths_follow_ownership(name, depths):
    assert {privilege.depths for privilege in table_privileges(CATALOG.tables[name])} == {frozenset(depths)}


def test_a_virtual_table_is_organization_wide_only():
    assert {privilege.depths for privilege in table_privileges(VIRTUAL)} == {frozenset({Depth.GLOBAL})}
    assert table_privilege(VIRTUAL, AccessRight.ASSIGN) is None
    assert table_privilege(VIRTUAL, AccessRight.SHARE) is None


def test_the_known_id_of_reading_accounts_is_kept():
    # [L] seen in denials of real environments
    found = table_privilege(ACCOUNT, AccessRight.READ)
    assert found is not None
    assert found.privilege_id == "886b280c-6396-4d56-a0a3-2c1b0a50ceb0"


@pytest.mark.parametrize("part", ["Entity", "Attribute", "Relationship", "OptionSet"])
def test_definitions_are_read_with_a_privilege_of_their_own(part):
    found = privilege_named(f"prvRead{part}")
    assert found in CUSTOMIZATION_PRIVILEGES
    assert found is not None
    assert found.depths == {Depth.GLOBAL}


def test_an_unknown_name_is_no_privilege():
    assert privilege_named("prvReadMinds") is None


def test_every_privilege_has_one_row_with_a_unique_id_and_name():
    rows = environment_privilege_records(CATALOG)
    assert len({row["privilegeid"] for row in rows}) == len(rows)
    assert len({row["name"] for row in rows}) == len(rows)
    by_name = {row["name"]: row for row in rows}
    assert by_name["prvReadAccount"]["accessright"] == AccessRight.READ
    assert by_name["prvReadAccount"]["canbebasic"] is True
    assert by_name["prvReadOrganization"]["canbebasic"] is False
    assert by_name["prvReadOrganization"]["canbeglobal"] is True
    assert by_name["prvPublishCustomization"]["accessright"] == 0


def test_new_tables_bring_their_rows():
    assert {row["name"] for row in privilege_records([VIRTUAL])} == {f"prv{right}mserp_Worker" for right in ROW_RIGHTS}
    assert privilege_records([CATALOG.tables["teamroles"]]) == ()


@pytest.mark.parametrize("role", STANDARD_ROLES)
def test_standard_roles_grant_privileges_that_exist_at_depths_they_can_have(role):
    known = {privilege.name: privilege for privilege in environment_privileges(CATALOG)}
    for name, mask in STANDARD_ROLES[role][1].items():
        assert Depth(mask.bit_length() - 1) in known[name].depths, name
