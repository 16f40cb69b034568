"""Functions about the organization: what they answer, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
ROOT = "https://org.test:8443/api/data/v9.2"
EVERY = {"@odata.context"}


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


ANSWERS = [
    ("RetrieveInstalledLanguagePackVersion(Language=1033)", {"Version": "9.2.0.0"}),
    ("RetrieveProvisionedLanguagePackVersion(Language=@l)?@l=1033", {"Version": "9.2.0.0"}),
    ("RetrieveAvailableLanguages()", {"LocaleIds": [1033]}),
    ("RetrieveProvisionedLanguages", {"RetrieveProvisionedLanguages": [1033]}),
    ("RetrieveDeprovisionedLanguages()", {"RetrieveDeprovisionedLanguages": []}),
    ("RetrieveInstalledLanguagePacks()", {"RetrieveInstalledLanguagePacks": [1033]}),
    (
        "GetTimeZoneCodeByLocalizedName(LocalizedStandardName='W. Europe Standard Time',LocaleId=1033)",
        {"TimeZoneCode": 110},
    ),
    ("LocalTimeFromUtcTime(TimeZoneCode=110,UtcTime=2024-01-15T12:00:00Z)", {"LocalTime": "2024-01-15T13:00:00Z"}),
    (
        "LocalTimeFromUtcTime(TimeZoneCode=110,UtcTime=@t)?@t=2024-07-15T12:00:00Z",
        {"LocalTime": "2024-07-15T14:00:00Z"},
    ),
    ("LocalTimeFromUtcTime(TimeZoneCode=190,UtcTime=2024-07-15T12:00:00Z)", {"LocalTime": "2024-07-15T17:30:00Z"}),
    ("UtcTimeFromLocalTime(TimeZoneCode=110,LocalTime=2024-07-15T14:00:00Z)", {"UtcTime": "2024-07-15T12:00:00Z"}),
    ("UtcTimeFromLocalTime(TimeZoneCode=4,LocalTime=2024-01-15T04:00:00Z)", {"UtcTime": "2024-01-15T12:00:00Z"}),
    (
        "FormatAddress(Line1='Way 1',City='Redmond',StateOrProvince='WA',PostalCode='98052',Country='USA')",
        {"Address": "Way 1\r\nRedmond, WA 98052\r\nUSA"},
    ),
]


@pytest.mark.parametrize(("call", "answer"), ANSWERS, ids=range(len(ANSWERS)))
def test_a_function_answers(api, state, call, answer):
    before = state()
    name = call.partition("(")[0]
    assert api.json(f"/{call}") == {"@odata.context": f"{ROOT}/$metadata#{CRM}.{name}Response", **answer}
    assert state() == before


REFUSED = [
    ("RetrieveInstalledLanguagePackVersion(Language=1031)", 400, "The language 1031 is not installed."),
    ("RetrieveProvisionedLanguagePackVersion(Language=0)", 400, "The language 0 is not installed."),
    ("RetrieveProvisionedLanguagePackVersion(Language='1033')", 400, "Edm.Int32"),
    ("GetTimeZoneCodeByLocalizedName(LocalizedStandardName='Nowhere',LocaleId=1033)", 400, "Nowhere"),
    ("GetTimeZoneCodeByLocalizedName(LocalizedStandardName=1,LocaleId=1033)", 400, "Edm.String"),
    ("LocalTimeFromUtcTime(TimeZoneCode=7,UtcTime=2024-01-15T12:00:00Z)", 400, "no time zone with the code 7"),
    ("LocalTimeFromUtcTime(TimeZoneCode=110,UtcTime='x')", 400, "Edm.DateTimeOffset"),
    ("LocalTimeFromUtcTime(TimeZoneCode=300,UtcTime=9999-12-31T23:59:59Z)", 400, "outside the valid range"),
    ("UtcTimeFromLocalTime(TimeZoneCode=300,LocalTime=0001-01-01T00:00:00Z)", 400, "outside the valid range"),
    ("LocalTimeFromUtcTime(TimeZoneCode=99999999999,UtcTime=2024-01-15T12:00:00Z)", 400, "Edm.Int32"),
    ("RetrieveTotalRecordCount(EntityNames=['nope'])", 400, "was not found in the MetadataCache"),
    ("RetrieveTotalRecordCount(EntityNames='account')", 400, "Collection(Edm.String)"),
    ("RetrieveTotalRecordCount(EntityNames=[1])", 400, "Edm.String"),
    ("RetrieveTotalRecordCount()", 404, "Resource not found"),
    ("RetrieveExchangeRate(TransactionCurrencyId=00000000-0000-0000-0000-000000000001)", 404, "Does Not Exist"),
    ("RetrieveCurrentOrganization(AccessType='Nowhere')", 400, "EndpointAccessType"),
    ("GetValidReferencedEntities(ReferencingEntityName='nope')", 400, "was not found in the MetadataCache"),
]


@pytest.mark.parametrize(("call", "status", "text"), REFUSED, ids=range(len(REFUSED)))
def test_a_function_refuses(api, state, call, status, text):
    before = state()
    found = api.error("GET", f"/{call}")
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before


@pytest.mark.parametrize(
    "names",
    [
        '["account","contact"]',
        "['account','contact']",
        "@p1&@p1=['account','contact']",
        "@p1&@p1=@p2&@p2=['account','contact']",
    ],
)
def test_all_records_of_tables_are_counted(api, names):
    written, _, alias = names.partition("&")
    before = api.json(f"/RetrieveTotalRecordCount(EntityNames={written})?{alias}")["EntityRecordCountCollection"]
    api.created("accounts", name="One more")
    found = api.json(f"/RetrieveTotalRecordCount(EntityNames={written})?{alias}")["EntityRecordCountCollection"]
    assert found == {
        "Count": 2,
        "IsReadOnly": False,
        "Keys": ["account", "contact"],
        "Values": [before["Values"][0] + 1, before["Values"][1]],
    }


@pytest.mark.parametrize(
    "access",
    [f"{CRM}.EndpointAccessType'Default'", "'Default'", "@p&@p=Microsoft.Dynamics.CRM.EndpointAccessType'Internet'"],
)
def test_the_organization_tells_where_it_is(api, environments, access):
    written, _, alias = access.partition("&")
    detail = api.json(f"/RetrieveCurrentOrganization(AccessType={written})?{alias}")["Detail"]
    who = api.json("/WhoAmI")
    assert detail["OrganizationId"] == who["OrganizationId"]
    assert (detail["FriendlyName"], detail["State"], detail["TenantId"]) == ("Contoso", "Enabled", "contoso")
    assert detail["UrlName"] == "org"
    assert detail["Endpoints"]["Keys"] == ["WebApplication", "OrganizationService", "OrganizationDataService"]
    assert detail["Endpoints"]["Values"][0] == "https://org.test:8443/"
    assert detail["OrganizationVersion"] == api.json("/RetrieveVersion()")["Version"]


def test_an_exchange_rate_is_that_of_the_currency(api):
    currency = api.json("/transactioncurrencies?$select=exchangerate")["value"][0]
    found = api.json(f"/RetrieveExchangeRate(TransactionCurrencyId={currency['transactioncurrencyid']})")
    assert found["ExchangeRate"] == currency["exchangerate"]


def test_tables_that_can_be_related_are_those_of_the_definitions(api, environments):
    intersect = {name for name, table in environments[0].catalog.tables.items() if table.kind.value == "Intersect"}
    for call in ("GetValidManyToMany()", "GetValidReferencedEntities()", "GetValidReferencingEntities()"):
        names = set(api.json(f"/{call}")["EntityNames"])
        assert names == environments[0].catalog.tables.keys() - intersect
    for name, member in (("CanBeReferenced", "CanBeReferenced"), ("CanManyToMany", "CanManyToMany")):
        for table, answer in (("account", True), ("systemuserroles", False)):
            found = json.loads(api("POST", f"/{name}", {"EntityName": table}).body)
            assert found[member] is answer
        assert api.error("POST", f"/{name}", {"EntityName": "nope"})[:2] == (400, "0x80041102")


TRANSITIONS = [
    ("Inactive", 2, True),
    ("Active", 1, True),
    ("Active", 2, False),
    ("Inactive", 1, False),
    ("Nowhere", 1, False),
    ("Active", 99, False),
]


@pytest.mark.parametrize(("new_state", "reason", "is_valid"), TRANSITIONS)
@pytest.mark.parametrize("record", ["{{'@odata.id':'accounts({})'}}", "@e&@e={{'@odata.id':'accounts({})'}}"])
def test_a_reason_belongs_to_one_state(api, record, new_state, reason, is_valid):
    written, _, alias = record.format(api.created("accounts", name="Of states")).partition("&")
    path = f"/IsValidStateTransition(Entity={written},NewState='{new_state}',NewStatus={reason})?{alias}"
    assert api.json(path)["IsValid"] is is_valid


@pytest.mark.parametrize(
    ("record", "status", "text"),
    [
        ("{'@odata.id':'accounts(00000000-0000-0000-0000-000000000009)'}", 404, "Does Not Exist"),
        ("{'@odata.id':'transactioncurrencies(00000000-0000-0000-0000-000000000009)'}", 404, "Does Not Exist"),
        ("{'@odata.id':'roles(00000000-0000-0000-0000-000000000009)'}", 400, "have no states"),
        ("{'@odata.type':'Microsoft.Dynamics.CRM.account'}", 400, "names no record"),
        ("{'name':'x'}", 400, "'@odata.type' is missing"),
        ("{'@odata.id':'nopes(1)'}", 400, "nopes"),
        ("'accounts'", 400, "crmbaseentity"),
        ("null", 400, "A null value was found"),
    ],
)
def test_a_transition_is_that_of_a_record_with_states(api, state, record, status, text):
    before = state()
    found = api.error("GET", f"/IsValidStateTransition(Entity={record},NewState='Active',NewStatus=1)")
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before


def test_a_timestamp_changes_with_the_definitions_only(api):
    before = api.json("/RetrieveTimestamp()")["Timestamp"]
    api.created("accounts", name="No definition")
    assert api.json("/RetrieveTimestamp()")["Timestamp"] == before


def test_all_time_zones_are_records_that_can_be_asked_for_like_others(api):
    path = f"/timezonedefinitions/{CRM}.GetAllTimeZonesWithDisplayName(LocaleId=1033)"
    whole = api.json("/timezonedefinitions?$select=timezonecode&$orderby=timezonecode")["value"]
    assert api.json(f"{path}?$select=timezonecode&$orderby=timezonecode")["value"] == whole
    one = api.json(f"{path}?$select=userinterfacename&$filter=timezonecode eq 110")["value"]
    assert [row["userinterfacename"] for row in one] == [
        row["userinterfacename"] for row in api.json("/timezonedefinitions?$filter=timezonecode eq 110")["value"]
    ]
    for wrong, status in (("()", 404), ("(LocaleId='x')", 400), ("(LocaleId=1033)?$select=nope", 400)):
        assert api.error("GET", path.replace("(LocaleId=1033)", wrong))[0] == status
