"""ManagedPropertyDefinitions: every managed property that a definition or a column names is defined."""

import json

import pytest

from entities.errors import RecordNotFound, ResourceNotFound
from entities.standard.environment import standard_catalog
from odata_server.edm.definition_types import all_properties
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.metadata import WebApiMetadata

STANDARD = standard_catalog(1)


@pytest.fixture(scope="module")
def get():
    handler = WebApiMetadata()

    def read(path, query=""):
        request = ODataRequest("GET", "https", "localhost", f"/api/data/v9.2/{path}", query)
        return json.loads(handler(request, tuple(path.split("/")), lambda parts: STANDARD).body)

    return read


def _named(value):
    """Yield the managed properties that a definition names, at any depth."""
    match value:
        case {"ManagedPropertyLogicalName": str(name)}:
            yield name
        case dict():
            for member in value.values():
                yield from _named(member)
        case list():
            for item in value:
                yield from _named(item)


def test_what_definitions_and_columns_name_is_defined(get):
    found = get("ManagedPropertyDefinitions")["value"]
    assert set(found[0]) == set(all_properties("ManagedPropertyMetadata"))
    names = {item["LogicalName"] for item in found}
    named = set(_named(get("EntityDefinitions(LogicalName='account')", "$expand=Attributes,Keys")))
    assert len(named) > 20
    assert named | {"canbedeleted"} <= names
    assert len({item["MetadataId"] for item in found}) == len(found)


def test_one_is_found_by_name_and_by_id(get):
    one = get("ManagedPropertyDefinitions(LogicalName='iscustomizable')", "$select=Operation,LogicalName")
    assert (one["LogicalName"], one["Operation"]) == ("iscustomizable", "Update")
    assert get(f"ManagedPropertyDefinitions({one['MetadataId']})")["LogicalName"] == "iscustomizable"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("ManagedPropertyDefinitions(LogicalName='nothing')", RecordNotFound),
        ("ManagedPropertyDefinitions(LogicalName='iscustomizable')/Nothing", ResourceNotFound),
    ],
)
def test_what_is_not_there_is_not_found(get, path, error):
    with pytest.raises(error):
        get(path)
