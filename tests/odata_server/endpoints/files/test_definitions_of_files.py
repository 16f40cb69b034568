"""Definitions that change under files: columns and tables come and go (Learn: "Use file column data")."""

from __future__ import annotations

from dataclasses import replace

import pytest
from file_requests import OCTETS, stored
from pictures import picture, text_of

from entities.metadata import declare
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import FileType, ImageType
from entities.standard.environment import standard_catalog
from odata_server.admin.fixture_file import ColumnFixture, TableFixture
from odata_server.admin.fixture_tables import declared_table
from odata_server.engine.migration import difference


@pytest.fixture
def changed(moments, api):
    """Put the columns of a table, or remove it."""

    def change(name, *more, without=(), remove=()):
        with moments.service.changing() as transaction:
            table = transaction.catalog.tables[name]
            columns = tuple(column for column in (*table.columns, *more) if column.logical_name not in without)
            put = () if remove else (replace(table, columns=columns),)
            transaction.change_catalog(CatalogChange(put, remove=remove))
        return moments.service.catalog

    return change


@pytest.mark.parametrize("more", [declare.file("new_Letter"), declare.image("new_Crest")], ids=["file", "image"])
def test_the_first_file_column_of_a_table_brings_the_relationship(changed, more):
    catalog = changed("team", *more)
    assert "team" in catalog.tables["fileattachment"].by_name["objectid"].type.targets
    relationship = catalog.relationships["team_FileAttachments"]
    assert (relationship.referenced_column, relationship.referencing_navigation) == ("teamid", "objectid_team")
    assert _ways(catalog) - _ways(standard_catalog(1)) == {"objectid_team"}
    assert {"objectid_account", "objectid_contact", "objectid_systemuser"} < _ways(catalog)
    assert changed("team", *declare.file("new_Other")).relationships.keys() == catalog.relationships.keys()


def _ways(catalog):
    return {navigation.name for navigation in catalog.lookup_navigations("fileattachment", "objectid")}


def test_a_table_without_files_gets_no_relationship(changed):
    catalog = changed("team", declare.string("new_Motto"))
    assert "team_FileAttachments" not in catalog.relationships
    assert "team" not in catalog.tables["fileattachment"].by_name["objectid"].type.targets


def test_files_go_with_their_column(api, account, changed, content):
    stored(api, account)
    stored(api, account, b"note", "note.txt", column="new_note")
    changed("account", without=("new_dossier", "new_dossier_name"))
    left = content()
    assert [row[3] for row in left["$file"]] == ["new_note"]
    assert len(left["$block"]) == len(left["fileattachment"]) == 1
    assert api.error("GET", f"/accounts({account})/new_dossier/$value")[0] == 404


def test_files_go_with_their_table(api, account, changed, content):
    changed("task", *declare.file("new_Letter"))
    task = api.created("tasks", subject="S")
    assert api("PATCH", f"/tasks({task})/new_letter", b"one", x_ms_file_name="one.txt", **OCTETS).status == 204
    stored(api, account, b"two", "two.txt")
    catalog = changed("task", remove=("task",))
    left = content()
    assert [row[5] for row in left["$file"]] == ["two.txt"]
    assert len(left["$block"]) == len(left["fileattachment"]) == 1
    assert "task" not in catalog.tables["fileattachment"].by_name["objectid"].type.targets
    assert "task_FileAttachments" not in catalog.relationships
    assert len(api.json("/fileattachments")["value"]) == 1


def test_an_upgrade_keeps_the_relationships_of_users_files(changed):
    catalog = changed("team", *declare.image("new_Crest", is_custom=True))
    change = difference(catalog, standard_catalog(1))
    put = {table.logical_name for table in change.put}
    assert not put & {"fileattachment", "team"}
    assert change.relate == ()
    older = replace(catalog.tables["fileattachment"], primary_name="mimetype")
    tables = {**catalog.tables, "fileattachment": older}
    (table,) = (
        table
        for table in difference(replace(catalog, tables=tables), standard_catalog(1)).put
        if table.logical_name == "fileattachment"
    )
    assert table.primary_name == "filename"
    declared = standard_catalog(1).tables["fileattachment"].by_name["objectid"].type.targets
    assert {"account", "contact", "systemuser"} < set(declared)
    assert table.by_name["objectid"].type.targets == (*declared, "team")


def test_the_first_image_of_a_declared_table_is_its_primary_one():
    columns = declare.with_primary_image((*declare.file("A"), *declare.image("B"), *declare.image("C")))
    found = {c.logical_name: c.type.is_primary for c in columns if isinstance(c.type, ImageType)}
    assert found == {"b": True, "c": False}
    assert any(isinstance(c.type, FileType) for c in columns)


def test_a_fixture_declares_tables_with_images(moments, api):
    columns = tuple(
        ColumnFixture(name, type_)
        for name, type_ in (("cr_Name", "String"), ("cr_Front", "Image"), ("cr_Back", "Image"), ("cr_Plan", "File"))
    )
    table = declared_table(TableFixture("cr_House", "cr_Name", columns), 11_000, ())
    with moments.service.changing() as transaction:
        transaction.change_catalog(CatalogChange((table,)))
    house = api.created("cr_houses", cr_name="H", cr_front=text_of(picture((20, 20))))
    assert api("PATCH", f"/cr_houses({house})", {"cr_back": text_of(picture((30, 30)))}).status == 204
    assert api("GET", f"/cr_houses({house})/cr_back/$value?size=full").body == picture((30, 30))
    rows = api.json(f"/cr_houses({house})?$expand=cr_house_FileAttachments($select=regardingfieldname)")
    names = {row["regardingfieldname"] for row in rows["cr_house_FileAttachments"]}
    assert names == {"cr_front", "cr_back"}
    other = {"cr_name": "I", "cr_back": text_of(picture())}
    assert api.error("POST", "/cr_houses", other)[:2] == (400, "0x80090487")
