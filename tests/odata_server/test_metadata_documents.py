"""`$metadata` over HTTP: one text per snapshot, compressed for those who take it, not sent to those who have it."""

import gzip
from dataclasses import replace

import pytest

from entities.errors import MethodNotAllowed
from entities.metadata.catalog import CatalogChange, changed
from entities.metadata.declare import string
from entities.metadata.labels import label
from entities.standard.environment import standard_catalog
from odata_server.edm.csdl import CsdlWriter, csdl
from odata_server.edm.csdl_tables import written
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.metadata import FinanceMetadata, WebApiMetadata
from odata_server.endpoints.metadata_documents import MetadataDocument

STANDARD = standard_catalog(1)


def _with(*tables, version=2):
    return changed(STANDARD, CatalogChange(tables), version=version)


def _grown(name="new_word"):
    account = STANDARD.tables["account"]
    return replace(account, columns=(*account.columns, string(name)))


def _ask(handler, catalog=STANDARD, *, method="GET", query="", **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = ODataRequest(method, "https", "localhost", "/api/data/v9.2/$metadata", query, sent)
    return handler(request, ("$metadata",), lambda parts: catalog)


def _etag(answer):
    return dict(answer.headers)["ETag"]


@pytest.fixture(scope="module")
def service():
    return WebApiMetadata()


@pytest.fixture(scope="module")
def document(service):
    return _ask(service)


def test_the_document_is_xml_with_a_weak_tag(document):
    assert document.status == 200
    assert document.body == csdl(STANDARD)
    assert dict(document.headers)["Content-Type"] == "application/xml"
    assert _etag(document).startswith('W/"')


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "*"])
def test_who_takes_gzip_gets_the_same_text_and_tag(service, document, accepted):
    answer = _ask(service, accept_encoding=accepted)
    assert dict(answer.headers)["Content-Encoding"] == "gzip"
    assert len(answer.body) < len(document.body) / 5
    assert gzip.decompress(answer.body) == document.body
    assert _etag(answer) == _etag(document)


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_the_text(service, document, accepted):
    answer = _ask(service, accept_encoding=accepted)
    assert "Content-Encoding" not in dict(answer.headers)
    assert answer.body == document.body


@pytest.mark.parametrize("form", ["{0}", "{strong}", '"other", {0}', "*"])
def test_who_has_the_document_is_told_so(service, document, form):
    tag = _etag(document)
    answer = _ask(service, if_none_match=form.format(tag, strong=tag.removeprefix("W/")))
    assert (answer.status, answer.body) == (304, b"")
    assert _etag(answer) == tag


@pytest.mark.parametrize("header", ['W/"other"', "null", '"'])
def test_who_has_another_document_gets_this_one(service, document, header):
    answer = _ask(service, if_none_match=header)
    assert (answer.status, answer.body) == (200, document.body)


def test_a_new_column_is_there_at_once_under_a_new_tag(document):
    service = WebApiMetadata()
    before = _ask(service)
    after = _ask(service, _with(_grown()), if_none_match=_etag(before))
    assert after.status == 200
    assert b'Name="new_word"' in after.body
    assert b'Name="new_word"' not in before.body


def test_a_new_label_changes_no_text_and_so_no_tag():
    service = WebApiMetadata()
    before = _ask(service)
    renamed = _with(replace(STANDARD.tables["account"], display_name=label("Company")))
    assert _ask(service, renamed, if_none_match=_etag(before)).status == 304


def test_a_snapshot_of_the_same_definitions_is_not_described_again():
    """Where only rights have changed, the snapshot is another one and its definitions are not."""
    made = []
    document = MetadataDocument(lambda catalog: made.append(catalog) or b"<document/>")
    request = ODataRequest("GET", "https", "localhost", "/api/data/v9.2/$metadata")
    for catalog in (STANDARD, replace(STANDARD, version=7), _with(_grown())):
        assert document.answer(request, catalog).body == b"<document/>"
    assert [catalog.version for catalog in made] == [1, 2]


def test_annotations_are_another_document_with_a_tag_of_its_own(service, document):
    answer = _ask(service, query="annotations=true")
    assert answer.body == csdl(STANDARD, annotated=True)
    assert _etag(answer) != _etag(document)
    preferred = _ask(service, prefer='odata.include-annotations="*"')
    assert preferred.body == answer.body


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_document_is_only_read(service, method):
    with pytest.raises(MethodNotAllowed):
        _ask(service, method=method)


def test_the_document_of_finance_is_tagged_too():
    service = FinanceMetadata()
    found = _ask(service)
    assert _ask(service, if_none_match=_etag(found)).status == 304


def test_a_writer_gives_for_each_snapshot_what_a_new_one_would_give():
    """What is kept of a table is not used when the table, or what is around it, has changed."""
    accounts_elsewhere = replace(STANDARD.tables["account"], entity_set_name="companies")
    relationship = STANDARD.relationships["account_primary_contact"]
    renamed = replace(relationship, referenced_navigation="contact_of_accounts")
    snapshots = (
        STANDARD,
        _with(_grown()),
        _with(accounts_elsewhere),
        changed(STANDARD, CatalogChange(relate=(renamed,)), version=3),
        changed(STANDARD, CatalogChange(remove=("contact",)), version=4),
        _with(replace(STANDARD.tables["contact"], base_type="account")),
        STANDARD,
    )
    writer = CsdlWriter()
    texts = [writer.document(snapshot) for snapshot in snapshots]
    assert texts == [csdl(snapshot) for snapshot in snapshots]
    assert len(set(texts)) == len(snapshots) - 1


def _touched(change):
    """Return the tables whose text is written anew after a change."""
    after = changed(STANDARD, change, version=2)

    def all_written(snapshot, earlier):
        bases = frozenset(table.base_type for table in snapshot.tables.values() if table.base_type)
        return {
            name: written(snapshot, table, earlier.get(name), bases, annotated=False)
            for name, table in snapshot.tables.items()
        }

    first = all_written(STANDARD, {})
    return {name for name, text in all_written(after, first).items() if text is not first.get(name)}


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (CatalogChange(), set()),
        (CatalogChange((_grown(),)), {"account"}),
        (
            CatalogChange(relate=(replace(STANDARD.relationships["account_primary_contact"], is_custom=True),)),
            {"account", "contact"},
        ),
    ],
)
def test_a_change_costs_the_tables_that_it_touches(change, touched):
    assert _touched(change) == touched
