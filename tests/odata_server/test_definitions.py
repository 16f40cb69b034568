"""Definitions as clients read them: keys, casts, selections, filters, expansions and refusals."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from entities.errors import (
    AccessDenied,
    MalformedRequest,
    MethodNotAllowed,
    NotSupported,
    RecordNotFound,
    ResourceNotFound,
    UnknownName,
)
from entities.metadata.catalog import CatalogChange, changed
from entities.metadata.columns import Choice, MultiChoiceType
from entities.metadata.declare import choice, column, date_only, lookup, options, plain, primary_id, string
from entities.metadata.labels import label
from entities.metadata.tables import AlternateKey, ExternalSource, Table, TableKind
from entities.standard.environment import standard_catalog
from entities.values import Guid
from odata_server.edm.definition_types import all_properties
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.metadata import FinanceMetadata, WebApiMetadata
from odata_server.render.definitions import Definitions
from odata_server.syntax.tokens import SyntaxRefused

ROOT = "https://localhost:8443/api/data/v9.2"
CRM = "Microsoft.Dynamics.CRM"
PROVIDER = Guid("11111111-1111-1111-1111-111111111111")


def _virtual():
    red, blue = options("Red", "Blue", first=200_000_000)
    colour = Choice("mshr_colour", (replace(red, label=label("Red", nl="Rood")), blue), is_global=True)
    return Table(
        "mshr_worker",
        "mshr_Worker",
        "mshr_workers",
        12_000,
        "mshr_workerid",
        "mshr_name",
        (
            primary_id("mshr_WorkerId"),
            string("mshr_Name", 60, external_name="Name", is_custom=True),
            choice("mshr_Colour", colour, default=200_000_001),
            column("mshr_Tags", MultiChoiceType(Choice("mshr_tags", options("a", "b")))),
            date_only("mshr_Start"),
            lookup("mshr_AccountId", "account"),
        ),
        label("Worker", nl="Werknemer"),
        plain("Workers"),
        kind=TableKind.VIRTUAL,
        source=ExternalSource("Finance", "HcmWorkerEntity", "Workers", PROVIDER),
        is_custom=True,
        change_tracking=True,
        is_private=True,
        keys=(AlternateKey("mshr_key", ("mshr_name",), "mshr_Key"),),
    )


@pytest.fixture(scope="module")
def catalog():
    return changed(standard_catalog(1), CatalogChange((_virtual(),)), version=2)


@pytest.fixture(scope="module")
def service(catalog):
    """Return a function that asks and gives back status, document and the parts that were authorized."""
    handler = WebApiMetadata()

    def ask(url, *, method="GET", prefer="", denied=()):
        path, _, query = url.partition("?")
        read_parts = []

        def read(parts):
            read_parts.append(parts)
            if parts & set(denied):
                raise AccessDenied("no")
            return catalog

        headers = {"prefer": prefer} if prefer else {}
        encoded = quote(path, safe="/$()=',.")
        query = quote(query, safe="/$()=',.;&:@")
        request = ODataRequest(method, "https", "localhost:8443", f"/api/data/v9.2/{encoded}", query, headers)
        response = handler(request, tuple(encoded.split("/")) if encoded else (), read)
        return response, read_parts

    return ask


@pytest.fixture(scope="module")
def get(service):
    def read(url):
        response, _ = service(url)
        assert response.status == 200
        assert dict(response.headers)["Content-Type"] == "application/json; odata.metadata=minimal"
        return json.loads(response.body)

    return read


def _names(document, key="LogicalName"):
    return [item[key] for item in document["value"]]


def test_the_first_question_of_microsofts_python_client(get):
    url = "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'account'"
    document = get(url)
    names = "LogicalName,EntitySetName,PrimaryIdAttribute"
    assert document["@odata.context"] == f"{ROOT}/$metadata#EntityDefinitions({names})"
    (account,) = document["value"]
    assert account.pop("MetadataId")
    assert account == {"LogicalName": "account", "EntitySetName": "accounts", "PrimaryIdAttribute": "accountid"}


def test_its_second_question_translates_labels_of_choices(get):
    cast = f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}.PicklistAttributeMetadata"
    document = get(f"{cast}?$select=LogicalName&$expand=OptionSet($select=Options)")
    industry = next(item for item in document["value"] if item["LogicalName"] == "industrycode")
    assert "@odata.type" not in industry
    context = industry["OptionSet@odata.context"]
    assert context.endswith(f"({industry['MetadataId']})/{CRM}.PicklistAttributeMetadata/OptionSet(Options)/$entity")
    first = industry["OptionSet"]["Options"][0]
    assert isinstance(first["Value"], int)
    assert first["Label"]["UserLocalizedLabel"]["Label"]
    assert first["Label"]["LocalizedLabels"][0]["LanguageCode"] == 1033


_WORKER = "EntityDefinitions(LogicalName='mshr_worker')"
_COLOUR = f"Attributes(LogicalName='mshr_colour')/{CRM}.PicklistAttributeMetadata"


def _texts(label_value):
    return [text["Label"] for text in label_value["LocalizedLabels"]]


@pytest.mark.parametrize(
    ("option", "worker", "red"),
    [
        ("", ["Worker", "Werknemer"], ["Red", "Rood"]),
        ("LabelLanguages=1033", ["Worker"], ["Red"]),
        ("LabelLanguages=1043", ["Werknemer"], ["Rood"]),
        ("LabelLanguages=1033,1043", ["Worker", "Werknemer"], ["Red", "Rood"]),
        ("LabelLanguages=1053", [], []),
    ],
)
def test_labels_are_limited_to_the_asked_languages(get, option, worker, red):
    one = get(f"{_WORKER}?$select=DisplayName&{option}")
    assert _texts(one["DisplayName"]) == worker
    assert one["DisplayName"]["UserLocalizedLabel"]["Label"] == "Worker"
    (listed,) = get(f"EntityDefinitions?$select=DisplayName&$filter=LogicalName eq 'mshr_worker'&{option}")["value"]
    assert listed["DisplayName"] == one["DisplayName"]
    assert _texts(get(f"{_WORKER}/DisplayName?{option}")["value"]) == worker
    nested = get(f"{_WORKER}/{_COLOUR}?$select=LogicalName&$expand=OptionSet&{option}")
    assert _texts(nested["OptionSet"]["Options"][0]["Label"]) == red
    choices = get(f"GlobalOptionSetDefinitions(Name='mshr_colour')?{option}")
    assert _texts(choices["Options"][0]["Label"]) == red


def test_definitions_that_are_kept_lose_no_label_to_a_request(get):
    get(f"{_WORKER}?LabelLanguages=1053")
    assert _texts(get(_WORKER)["DisplayName"]) == ["Worker", "Werknemer"]


def test_a_table_is_found_by_name_and_by_id(get):
    by_name = get("EntityDefinitions(LogicalName='account')")
    by_id = get(f"EntityDefinitions({by_name['MetadataId']})")
    assert by_name == by_id
    assert by_name["@odata.context"] == f"{ROOT}/$metadata#EntityDefinitions/$entity"
    assert by_name["OwnershipType"] == "UserOwned"
    assert by_name["ObjectTypeCode"] == 1
    assert by_name["TableType"] == "Standard"
    assert by_name["PrimaryNameAttribute"] == "name"
    assert by_name["HasChanged"] is None
    assert by_name["DisplayName"]["UserLocalizedLabel"]["Label"] == "Account"
    assert by_name["IsCustomizable"] == {
        "Value": True,
        "CanBeChanged": False,
        "ManagedPropertyLogicalName": "iscustomizable",
    }
    assert [p["Name"] for p in by_name["Privileges"]][:2] == ["prvCreateAccount", "prvReadAccount"]


def test_a_virtual_table_says_what_stands_behind_it_and_what_it_cannot_do(get):
    worker = get("EntityDefinitions(LogicalName='mshr_worker')")
    assert worker["TableType"] == "Virtual"
    assert worker["DataProviderId"] == PROVIDER
    assert (worker["ExternalName"], worker["ExternalCollectionName"]) == ("HcmWorkerEntity", "Workers")
    flags = [
        "AutoRouteToOwnerQueue",
        "CanTriggerWorkflow",
        "ChangeTrackingEnabled",
        "IsOptimisticConcurrencyEnabled",
        "AutoCreateAccessTeams",
        "IsActivity",
        "IsActivityParty",
        "IsAvailableOffline",
        "IsBusinessProcessEnabled",
        "IsChildEntity",
        "IsKnowledgeManagementEnabled",
        "IsSLAEnabled",
        "SyncToExternalSearchIndex",
    ]
    managed = [
        "CanChangeTrackingBeEnabled",
        "IsAuditEnabled",
        "IsDuplicateDetectionEnabled",
        "CanCreateCharts",
        "CanChangeHierarchicalRelationship",
        "CanEnableSyncToExternalSearchIndex",
    ]
    assert [worker[name] for name in flags] == [False] * len(flags)
    assert [worker[name]["Value"] for name in managed] == [False] * len(managed)
    assert worker["ActivityTypeMask"] == 0
    standard = get("EntityDefinitions(LogicalName='account')")
    assert standard["DataProviderId"] is None
    assert standard["IsOptimisticConcurrencyEnabled"] is True
    assert standard["IsDuplicateDetectionEnabled"]["Value"] is True


@pytest.mark.parametrize(
    ("name", "type_name", "expected"),
    [
        ("mshr_name", "String", {"AttributeType": "String", "MaxLength": 60, "ExternalName": "Name"}),
        ("mshr_colour", "Picklist", {"AttributeType": "Picklist", "DefaultFormValue": 200_000_001}),
        ("mshr_tags", "MultiSelectPicklist", {"AttributeType": "Virtual", "DefaultFormValue": -1}),
        ("mshr_start", "DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
        ("mshr_accountid", "Lookup", {"Targets": ["account"], "AttributeTypeName": {"Value": "LookupType"}}),
    ],
)
def test_a_column_is_defined_by_its_type(get, name, type_name, expected):
    definition = get(f"EntityDefinitions(LogicalName='mshr_worker')/Attributes(LogicalName='{name}')")
    assert definition["@odata.type"] == f"#{CRM}.{type_name}AttributeMetadata"
    assert {key: definition[key] for key in expected} == expected
    cast = f"EntityDefinitions(LogicalName='mshr_worker')/Attributes(LogicalName='{name}')/"
    assert "@odata.type" not in get(f"{cast}{CRM}.{type_name}AttributeMetadata?$select=LogicalName")


def test_an_id_column_has_no_type_of_its_own(get):
    definition = get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='accountid')")
    assert "@odata.type" not in definition
    assert (definition["AttributeType"], definition["IsPrimaryId"]) == ("Uniqueidentifier", True)


@pytest.mark.parametrize(
    ("name", "code"), [("ownerid", "Owner"), ("parentcustomerid", "Customer"), ("createdby", "Lookup")]
)
def test_lookups_are_called_by_what_they_point_to(get, name, code):
    definition = get(f"EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='{name}')")
    assert definition["AttributeType"] == code
    assert definition["AttributeTypeName"] == {"Value": f"{code}Type"}


def test_every_definition_has_exactly_the_properties_of_its_type(catalog):
    definitions = Definitions(catalog)
    items = [*definitions.tables.items, *definitions.relationships.items, *definitions.choices.items]
    for table in catalog.tables.values():
        items.extend(definitions.columns(table).items)
        for navigation in ("Keys", "OneToManyRelationships"):
            items.extend(definitions.related(definitions.table(table.logical_name), navigation).items)
    sets = [definitions.related(i, "OptionSet") for i in items if i.type_name.endswith("AttributeMetadata")]
    items.extend(found for found in sets if found is not None)
    seen = set()
    for item in items:
        seen.add(item.type_name)
        assert item.values.keys() == all_properties(item.type_name).keys(), item
    assert {"EntityMetadata", "BooleanOptionSetMetadata", "EntityKeyMetadata", "MoneyAttributeMetadata"} <= seen


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("LogicalName eq 'team'", ["team"]),
        ("LogicalName eq 'team' and IsPrivate eq true", []),
        ("LogicalName eq 'nothing'", []),
        ("'team' eq 'team' and LogicalName eq 'team'", None),
        ("SchemaName eq 'Team' or EntitySetName eq 'roles'", ["role", "team"]),
        ("IsPrivate eq true", ["mshr_worker", "organization"]),
        ("IsPrivate", ["mshr_worker", "organization"]),
        ("not (IsPrivate eq false)", ["mshr_worker", "organization"]),
        ("DataProviderId ne null", ["mshr_worker"]),
        (f"DataProviderId eq {PROVIDER}", ["mshr_worker"]),
        ("ObjectTypeCode ge 12000 and ObjectTypeCode lt 12001", ["mshr_worker"]),
        (f"OwnershipType eq {CRM}.OwnershipTypes'UserOwned' and LogicalName eq 'contact'", ["contact"]),
        ("OwnershipType eq 'UserOwned' and LogicalName eq 'contact'", ["contact"]),
        ("OwnershipType ne 'UserOwned' and LogicalName eq 'contact'", []),
        ("CanCreateCharts/Value eq false and IsIntersect eq false", ["mshr_worker"]),
        ("LogicalName eq @name&@name='role'", ["role"]),
    ],
)
def test_filters(service, condition, expected):
    url = f"EntityDefinitions?$select=LogicalName&$filter={condition}"
    if expected is None:
        with pytest.raises(NotSupported):
            service(url)
        return
    assert _names(json.loads(service(url)[0].body)) == expected


@pytest.mark.parametrize(
    ("url", "error", "text"),
    [
        ("EntityDefinitions?$filter=startswith(LogicalName,'a')", NotSupported, '"startswith" function'),
        ("EntityDefinitions?$filter=contains(LogicalName,'a') eq true", NotSupported, '"contains" function'),
        ("EntityDefinitions?$filter=Attributes/any(a:a/IsPrimaryId eq true)", NotSupported, "a lambda operator"),
        ("EntityDefinitions?$filter=LogicalName in ('a','b')", NotSupported, '"in" operator'),
        ("EntityDefinitions?$filter=Nothing eq 1", UnknownName, "'Nothing' on type 'Microsoft.Dynamics.CRM.EntityM"),
        ("EntityDefinitions?$filter=CanCreateForms/Nothing eq true", UnknownName, "'Nothing' on type"),
        ("EntityDefinitions?$filter=LogicalName/Length eq 3", UnknownName, "'Length' on type"),
        ("EntityDefinitions?$filter=DisplayName eq 'Account'", MalformedRequest, "not primitive"),
        ("EntityDefinitions?$filter=LogicalName eq 3", MalformedRequest, "'Edm.String' and 'Edm.Int32'"),
        ("EntityDefinitions?$filter=OwnershipType eq 1", MalformedRequest, "OwnershipTypes' and 'Edm.Int32'"),
        ("EntityDefinitions?$filter=OwnershipType eq 'Mine'", MalformedRequest, "'Mine' is not a valid enumeration"),
        (f"EntityDefinitions?$filter=OwnershipType eq {CRM}.OwnershipTypes'Mine'", MalformedRequest, "'Mine'"),
        ("EntityDefinitions?$filter=LogicalName", MalformedRequest, "single boolean"),
        ("EntityDefinitions?$filter=LogicalName eq 'x", SyntaxRefused, "nterminated"),
        ("EntityDefinitions?$select=Nothing", UnknownName, "'Nothing'"),
        ("EntityDefinitions?$select=CanCreateForms/Value", UnknownName, "CanCreateForms/Value"),
        ("EntityDefinitions?$expand=Nothing", UnknownName, "'Nothing'"),
        ("EntityDefinitions?$expand=Attributes($top=1)", MalformedRequest, "while expanding"),
        ("EntityDefinitions?$orderby=LogicalName", MalformedRequest, r"\$orderby"),
        ("EntityDefinitions?$top=1", MalformedRequest, r"\$top"),
        ("EntityDefinitions(LogicalName='account')?$filter=IsPrivate eq true", MalformedRequest, "single definition"),
        ("EntityDefinitions(LogicalName='account')/Attributes?$select=Targets", UnknownName, "'Targets'"),
        ("EntityDefinitions(LogicalName='nothing')", RecordNotFound, "'nothing'"),
        ("EntityDefinitions(00000000-0000-0000-0000-000000000000)", RecordNotFound, "MetadataId"),
        ("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='nothing')", RecordNotFound, "'nothing'"),
        (f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')/{CRM}.LookupAttributeMetadata",
         RecordNotFound, "LookupAttributeMetadata"),
        ("EntityDefinitions?LabelLanguages=Dutch", MalformedRequest, "'Dutch' of 'LabelLanguages'"),
        ("EntityDefinitions?LabelLanguages=", MalformedRequest, "LabelLanguages"),
        ("EntityDefinitions(LogicalName='account')/DisplayName?LabelLanguages=1033,", MalformedRequest, "1033,"),
        ("EntityDefinitions('account')", MalformedRequest, "key"),
        ("EntityDefinitions(SchemaName='Account')", MalformedRequest, "key"),
        ("EntityDefinitions(LogicalName=3)", MalformedRequest, "key"),
        ("EntityDefinitions(LogicalName='account')/Nothing", ResourceNotFound, "'Nothing'"),
        ("EntityDefinitions/Attributes", ResourceNotFound, "'Attributes'"),
        ("EntityDefinitions/LogicalName", ResourceNotFound, "'LogicalName'"),
        ("EntityDefinitions(LogicalName='account')/$count", ResourceNotFound, "count"),
        (f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}.EnumAttributeMetadata", MalformedRequest, "cast"),
        (f"EntityDefinitions/{CRM}.PicklistAttributeMetadata", MalformedRequest, "cast"),
        ("RelationshipDefinitions(LogicalName='account')", MalformedRequest, "key"),
    ],
)  # fmt: skip
def test_refusals(service, url, error, text):
    with pytest.raises(error, match=text):
        service(url)


def test_relationships_are_found_from_both_ends(get):
    one = _names(
        get("EntityDefinitions(LogicalName='contact')/OneToManyRelationships?$select=SchemaName"), "SchemaName"
    )
    many = get("EntityDefinitions(LogicalName='account')/ManyToOneRelationships")
    primary = next(item for item in many["value"] if item["ReferencingAttribute"] == "primarycontactid")
    assert primary["SchemaName"] in one
    assert primary["ReferencedEntity"] == "contact"
    assert primary["ReferencingEntityNavigationPropertyName"] == "primarycontactid"
    assert primary["RelationshipType"] == "OneToManyRelationship"
    assert primary["CascadeConfiguration"]["Delete"]


def test_relationship_definitions_say_their_type_unless_cast(get):
    both = get("RelationshipDefinitions?$select=SchemaName&$filter=SchemaName eq 'systemuserroles_association'")
    (found,) = both["value"]
    assert found["@odata.type"] == f"#{CRM}.ManyToManyRelationshipMetadata"
    cast = get(
        f"RelationshipDefinitions(SchemaName='systemuserroles_association')/{CRM}.ManyToManyRelationshipMetadata"
    )
    assert cast["IntersectEntityName"] == "systemuserroles"
    assert {cast["Entity1IntersectAttribute"], cast["Entity2IntersectAttribute"]} == {"systemuserid", "roleid"}
    assert "@odata.type" not in cast


def test_keys_and_global_choices(get):
    keys = get("EntityDefinitions(LogicalName='mshr_worker')/Keys?$select=SchemaName,KeyAttributes")
    assert keys["value"][0]["KeyAttributes"] == ["mshr_name"]
    (choice_,) = get("GlobalOptionSetDefinitions?$filter=Name eq 'mshr_colour'")["value"]
    assert choice_["@odata.type"] == f"#{CRM}.OptionSetMetadata"
    assert [option["Value"] for option in choice_["Options"]] == [200_000_000, 200_000_001]
    by_id = get(f"GlobalOptionSetDefinitions({choice_['MetadataId']})?$select=IsGlobal")
    assert by_id["IsGlobal"] is True


def test_a_choice_of_its_own_has_no_global_one(get):
    url = "EntityDefinitions(LogicalName='{}')/Attributes(LogicalName='{}')/" + f"{CRM}.PicklistAttributeMetadata"
    expand = "?$select=LogicalName&$expand=OptionSet,GlobalOptionSet"
    own = get(url.format("account", "industrycode") + expand)
    assert own["OptionSet"]["IsGlobal"] is False
    assert own["GlobalOptionSet"] is None
    shared = get(url.format("mshr_worker", "mshr_colour") + expand)
    assert shared["GlobalOptionSet"]["Name"] == "mshr_colour"


def test_states_and_reasons_say_what_they_belong_to(get):
    base = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{}')/" + CRM
    state = get(base.format("statecode") + ".StateAttributeMetadata/OptionSet")
    assert [option["InvariantName"] for option in state["Options"]] == ["Active", "Inactive"]
    reason = get(base.format("statuscode") + ".StatusAttributeMetadata/OptionSet")
    assert {option["@odata.type"] for option in reason["Options"]} == {f"#{CRM}.StatusOptionMetadata"}
    assert [option["State"] for option in reason["Options"]] == [0, 1]


def test_yes_and_no_have_labels(get):
    base = f"EntityDefinitions(LogicalName='systemuser')/Attributes/{CRM}.BooleanAttributeMetadata"
    document = get(f"{base}?$select=LogicalName&$filter=LogicalName eq 'isdisabled'&$expand=OptionSet")
    option_set = document["value"][0]["OptionSet"]
    assert option_set["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Disabled"
    assert option_set["FalseOption"]["Value"] == 0


def test_expansions_nest_and_filter(get):
    document = get(
        "EntityDefinitions(LogicalName='account')?$select=LogicalName"
        f"&$expand=Attributes($select=LogicalName;$filter=AttributeType eq {CRM}.AttributeTypeCode'Owner'),"
        "ManyToOneRelationships($select=SchemaName;$filter=ReferencingAttribute eq 'primarycontactid';$count=true;"
        "$expand=Lookup($select=LogicalName))"
    )
    assert _names({"value": document["Attributes"]}) == ["ownerid"]
    assert document["ManyToOneRelationships@odata.count"] == 1
    assert document["ManyToOneRelationships"][0]["Lookup"]["LogicalName"] == "primarycontactid"
    assert document["Attributes@odata.context"].endswith("#EntityDefinitions('account')/Attributes(LogicalName)")


def test_a_cast_in_an_expansion_asks_only_of_those_it_fits(get):
    document = get(
        "EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName"
        f"&$expand={CRM}.PicklistAttributeMetadata/OptionSet($select=Name)"
    )
    with_options = [item["LogicalName"] for item in document["value"] if "OptionSet" in item]
    assert "industrycode" in with_options
    assert "name" not in with_options


def test_counts(service, get):
    response, _ = service("EntityDefinitions/$count?$filter=IsPrivate eq true")
    assert (response.body, dict(response.headers)["Content-Type"]) == (b"\xef\xbb\xbf2", "text/plain")
    document = get("EntityDefinitions?$select=LogicalName&$count=true")
    assert document["@odata.count"] == len(document["value"]) > 10


def test_single_properties(service, get):
    assert get("EntityDefinitions(LogicalName='account')/EntitySetName")["value"] == "accounts"
    raw, _ = service("EntityDefinitions(LogicalName='account')/EntitySetName/$value")
    assert raw.body == b"accounts"
    empty, _ = service("EntityDefinitions(LogicalName='account')/DataProviderId")
    assert (empty.status, empty.body) == (204, b"")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("EntityDefinitions", {"Entity"}),
        ("EntityDefinitions(LogicalName='account')/Attributes", {"Entity", "Attribute"}),
        ("EntityDefinitions?$expand=Attributes($select=LogicalName)", {"Entity", "Attribute"}),
        ("EntityDefinitions(LogicalName='account')/ManyToManyRelationships", {"Entity", "Relationship"}),
        ("RelationshipDefinitions", {"Relationship"}),
        (f"RelationshipDefinitions/{CRM}.OneToManyRelationshipMetadata?$expand=Lookup", {"Relationship", "Attribute"}),
        ("GlobalOptionSetDefinitions", {"OptionSet"}),
        (f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}.PicklistAttributeMetadata?$expand=OptionSet",
         {"Entity", "Attribute", "OptionSet"}),
    ],
)  # fmt: skip
def test_each_part_that_is_touched_is_authorized(service, url, parts):
    _, read = service(url)
    assert read == [parts]
    with pytest.raises(AccessDenied):
        service(url, denied=parts)


def test_access_is_checked_before_a_name_is_looked_up(service):
    with pytest.raises(AccessDenied):
        service("EntityDefinitions(LogicalName='nothing')", denied={"Entity"})


def test_other_verbs_are_refused(service):
    with pytest.raises(MethodNotAllowed):
        service("EntityDefinitions", method="TRACE")
    with pytest.raises(MethodNotAllowed):
        service("$metadata", method="POST")


def test_the_service_document_and_metadata_need_no_privilege(service):
    response, read = service("")
    assert read == [frozenset()]
    assert json.loads(response.body)["@odata.context"] == f"{ROOT}/$metadata"
    assert service("/")[0].body == response.body
    metadata, read = service("$metadata")
    assert read == [frozenset()]
    assert dict(metadata.headers)["Content-Type"] == "application/xml"
    assert b"mshr_worker" in metadata.body
    assert service("$metadata")[0].body is metadata.body


def test_annotations_of_metadata_come_when_asked_for(service):
    plain_body = service("$metadata")[0].body
    by_query = service("$metadata?annotations=true")[0].body
    by_preference = service("$metadata", prefer='odata.include-annotations="*"')[0].body
    assert by_query == by_preference != plain_body


def test_a_new_snapshot_is_seen_and_keeps_what_did_not_change(catalog):
    earlier = Definitions(catalog)
    account = earlier.table("account")
    columns = earlier.columns(catalog.tables["account"])
    later = Definitions(changed(catalog, CatalogChange(remove=("mshr_worker",)), version=3), earlier=earlier)
    assert later.table("account") is account
    assert later.columns(catalog.tables["account"]) is columns
    assert later.table("mshr_worker") is None


def test_data_answers_its_service_document_and_metadata(catalog):
    handler = FinanceMetadata()

    def ask(*segments):
        path = "/data/" + "/".join(segments)
        return handler(ODataRequest("GET", "https", "h", path), segments, lambda _: catalog)

    assert json.loads(ask().body)["@odata.context"] == "https://h/data/$metadata"
    assert b"Microsoft.Dynamics.DataEntities" in ask("$metadata").body
    with pytest.raises(ResourceNotFound):
        ask("EntityDefinitions")


def test_images_are_defined_with_what_is_kept_of_them(get):
    chosen = "SchemaName,CanStoreFullImage,IsPrimaryImage,MaxSizeInKB,MaxHeight,MaxWidth,AttributeTypeName"
    document = get(f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}.ImageAttributeMetadata?$select={chosen}")
    (image,) = document["value"]
    del image["MetadataId"]
    assert image == {
        "SchemaName": "EntityImage",
        "CanStoreFullImage": False,
        "IsPrimaryImage": True,
        "MaxSizeInKB": 10_240,
        "MaxHeight": 144,
        "MaxWidth": 144,
        "AttributeTypeName": {"Value": "ImageType"},
    }
    tables = get("EntityDefinitions?$select=LogicalName,PrimaryImageAttribute&$filter=PrimaryImageAttribute ne null")
    images = {item["LogicalName"]: item["PrimaryImageAttribute"] for item in tables["value"]}
    assert {name: images[name] for name in ("account", "contact", "systemuser", "connector")} == {
        **dict.fromkeys(("account", "contact", "systemuser"), "entityimage"),
        "connector": "iconblob",
    }
    assert "task" not in images
