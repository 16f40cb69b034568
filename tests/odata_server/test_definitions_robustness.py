"""Whatever is asked of definitions, the answer is a document or a refusal in Dataverse's own terms."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entities.errors import DataverseError
from entities.standard.environment import standard_catalog
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.metadata import WebApiMetadata
from odata_server.syntax.tokens import SyntaxRefused

CRM = "Microsoft.Dynamics.CRM"
_SEGMENTS = st.sampled_from(
    [
        "EntityDefinitions",
        "EntityDefinitions(LogicalName='account')",
        "EntityDefinitions(LogicalName=@p)",
        "EntityDefinitions(a=1,b=2)",
        "EntityDefinitions(1)(2)",
        "RelationshipDefinitions",
        "GlobalOptionSetDefinitions",
        "ManagedPropertyDefinitions",
        "Attributes",
        "Attributes(LogicalName='industrycode')",
        f"{CRM}.PicklistAttributeMetadata",
        f"{CRM}.PicklistAttributeMetadata(LogicalName='industrycode')",
        f"{CRM}.Nothing",
        "OptionSet",
        "GlobalOptionSet",
        "Keys",
        "ManyToOneRelationships",
        "Lookup",
        "LogicalName",
        "DisplayName",
        "$count",
        "$value",
        "$ref",
        "$filter(true)",
        "$1",
        "0",
        "-1",
        "%ff",
        "",
    ]
)
_OPERANDS = st.sampled_from(
    [
        "LogicalName",
        "IsPrivate",
        "CanCreateForms/Value",
        "OwnershipType",
        "ObjectTypeCode",
        "MetadataId",
        "Attributes/LogicalName",
        "DisplayName",
        "null",
        "true",
        "'x'",
        "1",
        "-1.5",
        "1e400",
        "00000000-0000-0000-0000-000000000001",
        f"{CRM}.OwnershipTypes'UserOwned'",
        "@p",
        "contains(LogicalName,'a')",
        "(1,2)",
        '["a"]',
        "$it",
    ]
)
_CONDITIONS = st.tuples(_OPERANDS, st.sampled_from(["eq", "ne", "gt", "le", "in", "has", "and", "add"]), _OPERANDS)
_FILTERS = st.one_of(_CONDITIONS.map(" ".join), _OPERANDS, st.text(max_size=20))
_EXPANSIONS = st.sampled_from(
    [
        "Attributes",
        "Attributes($select=LogicalName)",
        f"{CRM}.EntityMetadata/Keys",
        "Keys/$ref",
        "*",
        "OptionSet",
        "a/b/c",
    ]
)
_QUERIES = st.one_of(
    st.just(""),
    _FILTERS.map(lambda text: f"$filter={text}"),
    _FILTERS.map(lambda text: f"$filter=not ({text})&@p='account'"),
    _EXPANSIONS.map(lambda text: f"$expand={text}"),
    st.sampled_from(["$select=*", "$select=LogicalName,Keys", "$count=true", "$top=1", "@p=@p", "$format=json"]),
)


@pytest.fixture(scope="module")
def ask():
    """Return a function that asks for a path and gives back the status; a small fixture, for hypothesis prints it."""
    catalog = standard_catalog(1)
    handler = WebApiMetadata()

    def send(segments, query):
        request = ODataRequest("GET", "https", "h", "/api/data/v9.2/" + "/".join(segments), query)
        return handler(request, segments, lambda _: catalog).status

    return send


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(segments=st.lists(_SEGMENTS, min_size=1, max_size=5), query=_QUERIES)
def test_definitions_are_read_or_refused(ask, segments, query):
    path = tuple("/".join(segments).split("/"))
    with contextlib.suppress(DataverseError, SyntaxRefused):
        assert ask(path, query.replace(" ", "%20")) in {200, 204}
