"""A real metadata document, imported and written out again: what differs has its reason, and the page says so."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from entities.metadata.catalog import changed
from entities.standard.environment import standard_catalog
from odata_server.admin.csdl_import import merged
from odata_server.edm.csdl import csdl
from odata_server.edm.csdl_comparing import Difference

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    """The generator of the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "docs"))
        yield importlib.import_module("metadata_differences")


@pytest.fixture(scope="module")
def found(script):
    """The document and what differs; skips, naming the folder, where it is not there."""
    if not script.FILE.is_file():
        pytest.skip("the reference folder is not here; TALENTVERSE_REFERENCE names it")
    return script.compared()


@pytest.fixture(scope="module")
def kinds(script, found):
    return script.kinds(found.document)


def test_the_page_is_fresh(script, found):
    assert script.PAGE.read_text("utf-8") == script.page(found), "run: python docs/metadata_differences.py"


@pytest.mark.parametrize("which", ["alone", "whole"])
def test_every_difference_is_of_a_kind_that_has_its_reason(script, found, kinds, which):
    of_none = script.by_kind(getattr(found, which), kinds).get("", ())
    assert [script.shown(difference) for difference in of_none] == []


def test_a_difference_of_no_kind_is_found(script, kinds):
    strange = Difference("EntityType account / Property name", "Type=Edm.String", None)
    assert script.by_kind((strange,), kinds)[""] == [strange]


def test_nearly_nothing_of_the_document_is_lost(found):
    """What is only in the document: three edited names, a navigation over a plain GUID, a secret."""
    assert len([difference for difference in found.alone if difference.ours is None]) == 6
    assert len([difference for difference in found.whole if difference.ours is None]) == 7


def test_a_kind_is_no_excuse_for_a_table_that_is_missing(script, kinds):
    for place in (
        "EntityType account",
        "EntityType lead / Property subject",
        "EntityContainer System / EntitySet tasks",
    ):
        lost = Difference(place, "anything", None)
        assert script.by_kind((lost,), kinds).get("") == [lost]


def test_the_order_of_declarations_is_no_difference(script, found):
    turned = replace(found.document, children=tuple(reversed(found.document.children)))
    assert script.differences(found.document, turned) == ()


def test_what_an_environment_with_the_document_says_is_valid_but_for_the_scale(script, found):
    library = standard_catalog(1)
    text = csdl(changed(library, merged(library, found.imported), version=2))
    schema = etree.XMLSchema(etree.parse(script.REFERENCE / "data" / "odata-csdl-schemas" / "edmx.xsd"))
    schema.validate(etree.fromstring(text, etree.XMLParser(huge_tree=True)))
    assert schema.error_log
    assert all("'Variable'" in str(error.message) for error in schema.error_log)
