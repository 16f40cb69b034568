"""Who may change options, solutions and definitions, and what a batch makes of a refusal."""

import pytest
from batches import BATCH_TYPE, Asked, answers, batch
from things import dump

from entities.standard.identifiers import role_id, root_business_unit_id
from entities.standard.seed import BASIC_USER

ORGANIZATION = "0a000000-0000-4000-8000-000000000001"
INDUSTRY = {"EntityLogicalName": "account", "AttributeLogicalName": "industrycode"}
LABEL = {"LocalizedLabels": [{"Label": "Circus", "LanguageCode": 1033}]}
NOWHERE = "00000000-0000-0000-0000-0000000000ff"
COMPONENT = {"ComponentId": NOWHERE, "ComponentType": 1, "SolutionUniqueName": "Default"}
GONE = {"@odata.type": "Microsoft.Dynamics.CRM.solutioncomponent", "solutioncomponentid": NOWHERE}


@pytest.fixture(scope="module")
def basic(api):
    """A user with the role Basic User: she reads definitions and changes none."""
    root = root_business_unit_id(ORGANIZATION)
    unit = {"businessunitid@odata.bind": f"/businessunits({root})"}
    user = api.created("systemusers", firstname="Uma", lastname="User", domainname="uma@contoso.test", **unit)
    role = {"@odata.id": f"roles({role_id(root, BASIC_USER)})"}
    assert api("POST", f"/systemusers({user})/systemuserroles_association/$ref", role).status == 204
    return user


FORBIDDEN = [
    ("POST", "/InsertOptionValue", {**INDUSTRY, "Label": LABEL}, "prvWriteOptionSet"),
    ("POST", "/InsertStatusValue", {**INDUSTRY, "Label": LABEL, "StateCode": 0}, "prvWriteOptionSet"),
    ("POST", "/UpdateOptionValue", {**INDUSTRY, "Value": 1, "MergeLabels": True}, "prvWriteOptionSet"),
    ("POST", "/UpdateStateValue", {**INDUSTRY, "Value": 0, "MergeLabels": True}, "prvWriteOptionSet"),
    ("POST", "/DeleteOptionValue", {**INDUSTRY, "Value": 1}, "prvWriteOptionSet"),
    ("POST", "/OrderOption", {**INDUSTRY, "Values": []}, "prvWriteOptionSet"),
    ("POST", "/PublishXml", {"ParameterXml": "<importexportxml/>"}, "prvPublishCustomization"),
    ("POST", "/PublishAllXml", None, "prvPublishCustomization"),
    ("POST", "/AddSolutionComponent", {**COMPONENT, "AddRequiredComponents": False}, "prvWriteSolution"),
    ("POST", "/UpdateSolutionComponent", COMPONENT, "prvWriteSolution"),
    (
        "POST",
        "/RemoveSolutionComponent",
        {"SolutionComponent": GONE, "ComponentType": 1, "SolutionUniqueName": "Default"},
        "prvWriteSolution",
    ),
    ("POST", "/CreateEntities", {"Entities": []}, "prvCreateEntity"),
    ("POST", "/CreateCustomerRelationships", {"Lookup": {"SchemaName": "new_a"}}, "prvCreateAttribute"),
    ("POST", "/ReactivateEntityKey", {"EntityLogicalName": "a", "EntityKeyLogicalName": "b"}, "prvWriteEntity"),
    (
        "POST",
        "/publishers",
        {"uniquename": "uma", "friendlyname": "Uma", "customizationprefix": "uma"},
        "prvCreatePublisher",
    ),
    ("GET", "/RetrieveMissingDependencies(SolutionUniqueName='Default')", None, "prvReadSolution"),
]


@pytest.mark.parametrize("case", FORBIDDEN, ids=[case[1] for case in FORBIDDEN])
def test_who_may_not_customize_is_told_what_is_missing(api, services, basic, case):
    method, path, body, privilege = case
    before = dump(services.dataverse.database)
    status, code, text = api.error(method, path, body, mscrmcallerid=basic)
    assert (status, code) == (403, "0x80040220"), text
    assert privilege in text
    assert dump(services.dataverse.database) == before


def test_whoever_reads_definitions_keeps_them_up_to_date(api, basic):
    assert api("GET", "/RetrieveMetadataChanges(Query=@p)?@p={}", mscrmcallerid=basic).status == 200


def test_a_change_set_uses_the_option_that_it_makes(api):
    column = {**INDUSTRY, "Label": LABEL, "Value": 777}
    new = {"name": "Big top", "industrycode": 777}
    (made, account) = sent(api, [Asked("POST", "InsertOptionValue", column, "1"), Asked("POST", "accounts", new, "2")])
    assert (made.status, made.json["NewOptionValue"], account.status) == (200, 777, 204)


def test_a_change_set_that_is_refused_makes_no_option(api, services):
    before = dump(services.dataverse.database)
    column = {**INDUSTRY, "Label": LABEL, "Value": 778}
    wrong = {"name": "Bigger top", "industrycode": 779}
    (refusal,) = sent(api, [Asked("POST", "InsertOptionValue", column, "1"), Asked("POST", "accounts", wrong, "2")])
    assert refusal.error[:2] == (400, "0x8004431a")
    assert dump(services.dataverse.database) == before
    assert api("POST", "/accounts", {"name": "Big top", "industrycode": 778}).status == 400


def sent(api, requests):
    answer = api("POST", "/$batch", batch(requests), content_type=BATCH_TYPE)
    return answers(dict(answer.headers)["Content-Type"], answer.body)
