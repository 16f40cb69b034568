"""A real environment's metadata document imported into a new environment, whose sets are then used over HTTP."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from entities.metadata.tables import TableKind
from entities.standard.environment import standard_catalog
from entities.standard.sdk_messages import message_rows
from odata_server.admin.csdl_import import apply_schema, read_csdl
from odata_server.edm.csdl_comparing import differences
from odata_server.edm.csdl_document import schema_of
from odata_server.endpoints.metadata import WebApiMetadata
from odata_server.engine.environment import fill

UNKNOWN = "0c000000-0000-4000-8000-000000000001"
SETS = 265
"""All of the document but those of definitions."""
LONGEST = 20.0
CUSTOM = b"""
<ComplexType Name="ggw_CheerResponse"><Property Name="Loudness" Type="Edm.Int32"/></ComplexType>
<Action Name="ggw_Cheer" IsBound="true"><Parameter Name="entity" Type="mscrm.ggw_team" Nullable="false"/>
<Parameter Name="Words" Type="Edm.String" Nullable="false" Unicode="false"/>
<ReturnType Type="mscrm.ggw_CheerResponse" Nullable="false"/></Action>"""


@pytest.fixture(scope="module")
def document():
    default = Path(__file__).parents[4] / "shared"
    file = Path(os.environ.get("TALENTVERSE_REFERENCE", default)) / "data" / "dataverse-v9.1-metadata.xml"
    if not file.is_file():
        pytest.skip("the reference folder is not here; TALENTVERSE_REFERENCE names it")
    return file.read_bytes()


@pytest.fixture(scope="module")
def imported(environments, document):
    """The environment with the tables of the document, and how long that took."""
    service = environments[0]
    fill(service, message_rows(()))
    begun = time.perf_counter()
    schema = read_csdl(document.replace(b"<EntityContainer ", CUSTOM + b"<EntityContainer ", 1))
    apply_schema(service, schema)
    return schema, time.perf_counter() - begun


@pytest.fixture(scope="module")
def sets(api, imported):
    """The tables of the document that have a set, as they are in the environment."""
    tables = api.services.dataverse.catalog.tables
    return [tables[table.logical_name] for table in imported[0].tables if table.entity_set_name]


@pytest.fixture(scope="module")
def described(api):
    """The Web API whose `$metadata` is that of the environment."""
    return replace(api, services=replace(api.services, metadata=WebApiMetadata()))


def test_the_import_is_quick(imported):
    assert imported[1] < LONGEST


def test_every_set_of_the_document_is_read(api, sets):
    assert len(sets) == SETS
    refused = {}
    for table in sets:
        answer = api("GET", f"/{table.entity_set_name}?$top=1")
        if answer.status != 200 or not isinstance(json.loads(answer.body)["value"], list):
            refused[table.entity_set_name] = answer.body[:200]
    assert refused == {}


def test_records_of_the_tables_of_a_file_are_written_read_and_linked(api, imported):
    event = api.created("ggw_events", ggw_name="Bike tour")
    team = api.created("ggw_teams", ggw_name="Wheelers", **{"ggw_EventId@odata.bind": f"/ggw_events({event})"})
    crew = api.created("ggw_crews", ggw_name="Ann")
    link = {"@odata.id": f"https://org.test:8443/api/data/v9.2/ggw_crews({crew})"}
    assert api("POST", f"/ggw_teams({team})/ggw_ggw_crew_ggw_team/$ref", link).status == 204
    row = f"/ggw_teams({team})?$select=ggw_name,statecode"
    found = api.json(f"{row}&$expand=ggw_EventId($select=ggw_name)", prefer='odata.include-annotations="*"')
    assert (found["ggw_name"], found["ggw_EventId"]["ggw_name"]) == ("Wheelers", "Bike tour")
    crews = api.json(f"{row}&$expand=ggw_ggw_crew_ggw_team($select=ggw_name)")["ggw_ggw_crew_ggw_team"]
    assert [member["ggw_name"] for member in crews] == ["Ann"]
    assert found["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"
    other = api.json(f"/ggw_events({event})?$expand=ggw_ggw_event_ggw_team($select=ggw_name)")
    assert [member["ggw_name"] for member in other["ggw_ggw_event_ggw_team"]] == ["Wheelers"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"ggw_unknown": 1}, "ggw_unknown"),
        ({"ggw_hidden": "perhaps"}, "perhaps"),
        ({"ggw_EventId@odata.bind": f"/accounts({UNKNOWN})"}, "ggw_EventId"),
    ],
)
def test_what_a_file_does_not_declare_is_refused(api, imported, body, word):
    status, _, message = api.error("POST", "/ggw_teams", body)
    assert status == 400
    assert word in message


def test_single_valued_navigation_of_every_kind_is_expanded(api, sets):
    """Lookups with a property and without, to owners, over plain GUIDs, and those of activities."""
    for path in (
        "/accounts?$top=1&$expand=ownerid,stageid_processstage,createdby",
        "/phonecalls?$top=1&$expand=activityid_activitypointer,ownerid_phonecall,sla_phonecall_sla",
        "/solutions?$top=1&$expand=fileid",
        "/connectionroles?$top=1&$expand=connectionroleassociation_association",
    ):
        assert api("GET", path).status == 200, path


def test_the_tables_of_the_document_have_what_every_table_has(api, imported):
    standard = standard_catalog(1).tables
    new = (t for t in imported[0].tables if t.logical_name not in standard)
    tables = {table.logical_name for table in new if table.kind is TableKind.STANDARD}
    assert "ggw_team" in tables
    messages = api.json("/sdkmessagefilters?$select=primaryobjecttypecode")["value"]
    assert tables <= {row["primaryobjecttypecode"] for row in messages}
    privileges = {row["name"].lower() for row in api.json("/privileges?$select=name")["value"]}
    assert {"prvcreateggw_team", "prvreadggw_event", "prvassignggw_crew"} <= privileges


@pytest.mark.parametrize(
    "path",
    [
        "EntityDefinitions?$select=LogicalName",
        "GlobalOptionSetDefinitions?$select=Name",
        "RelationshipDefinitions?$select=SchemaName",
        "ManagedPropertyDefinitions?$select=LogicalName",
    ],
)
def test_the_sets_of_definitions_are_read(described, imported, path):
    found = described.json(f"/{path}")["value"]
    assert {"EntityDefinitions": "ggw_team", "RelationshipDefinitions": "ggw_ggw_event_ggw_team"}.get(
        path.partition("?")[0], ""
    ) in {"", *(name for row in found for name in row.values())}


def test_what_is_written_out_declares_every_type_set_and_operation_of_the_document(described, document, imported):
    answer = described("GET", "/$metadata")
    found = differences(schema_of(document), schema_of(answer.body))
    gone = {d.place for d in found if d.ours is None and " / " not in d.place}
    assert gone == set()
    assert {
        d.place for d in found if d.ours is None and d.place.startswith("EntityContainer") and "/ Nav" not in d.place
    } == set()


def test_an_operation_of_the_file_is_declared_and_can_be_called(api, described, imported):
    text = described("GET", "/$metadata").body
    assert b'<Action Name="ggw_Cheer" IsBound="true"><Parameter Name="entity" Type="mscrm.ggw_team"' in text
    team = api.created("ggw_teams", ggw_name="Wheelers")
    path = f"/ggw_teams({team})/Microsoft.Dynamics.CRM.ggw_Cheer"
    # The environment of these tests runs no plug-ins, so what is called is known and not available.
    assert api.error("POST", path, {"Words": "Go"})[0] == 501
    assert api.error("POST", path, {"Words": 5})[0] == 400
    assert api.error("POST", path.replace("Cheer", "Boo"), {})[0] == 404


def test_a_document_imported_twice_changes_nothing_more(api, imported):
    service = api.services.dataverse
    before = service.catalog
    change = apply_schema(service, imported[0])
    assert (change.put, change.relate) == ((), ())
    assert service.catalog.tables == before.tables
