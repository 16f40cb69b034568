"""`$expand` on the Web API: HTTP in, HTTP out, over a real environment (Learn: "Join tables using OData")."""

from __future__ import annotations

import json

import pytest

from odata_server.endpoints import web_api
from tests.odata_server.endpoints.conftest import Client

ROOT = "https://org.test:8443/api/data/v9.2"


@pytest.fixture(scope="module")
def ids(api):
    """Two accounts with contacts and tasks, and a contact without account; the first one has a primary contact."""
    contoso = api.created("accounts", name="Contoso", accountnumber="C1")
    fabrikam = api.created("accounts", name="Fabrikam", accountnumber="F1")
    found = {"Contoso": contoso, "Fabrikam": fabrikam}
    for first, account in (("Ann", contoso), ("Bob", contoso), ("Cid", contoso), ("Dan", fabrikam)):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
        found[first] = api.created("contacts", firstname=first, lastname="x", **bind)
    found["Eve"] = api.created("contacts", firstname="Eve", lastname="x")
    bound = {"primarycontactid@odata.bind": f"contacts({found['Ann']})"}
    assert api("PATCH", f"/accounts({contoso})", bound).status == 204
    for n, account in enumerate((contoso, contoso, contoso, fabrikam), 1):
        bind = {"regardingobjectid_account_task@odata.bind": f"/accounts({account})"}
        found[f"Task {n}"] = api.created("tasks", subject=f"Task {n}", **bind)
    return found


@pytest.fixture(scope="module")
def admin(api):
    return api.json("/WhoAmI")["UserId"]


def row(answer, name):
    return next(row for row in answer["value"] if row["name"] == name)


def without_control(found):
    return {name: value for name, value in found.items() if "@" not in name}


def test_a_lookup_shows_its_record_without_entity_tag_and_null_where_it_is_empty(api, ids):
    answer = api.json("/accounts?$select=name&$expand=primarycontactid($select=contactid,fullname)")

    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(name,primarycontactid(contactid,fullname))"
    assert row(answer, "Contoso")["primarycontactid"] == {"contactid": ids["Ann"], "fullname": "Ann x"}
    assert row(answer, "Fabrikam")["primarycontactid"] is None
    assert list(row(answer, "Contoso")) == ["@odata.etag", "name", "accountid", "primarycontactid"]


def test_a_user_is_shown_with_both_of_its_keys(api, ids, admin):
    answer = api.json("/accounts?$select=name&$expand=createdby($select=fullname)")
    assert row(answer, "Contoso")["createdby"] == {"fullname": "# Admin", "systemuserid": admin, "ownerid": admin}


def test_an_expanded_record_shows_every_column_where_none_is_selected(api, ids):
    answer = api.json("/accounts?$select=name&$expand=primarycontactid")
    whole = without_control(api.json(f"/contacts({ids['Ann']})"))
    assert row(answer, "Contoso")["primarycontactid"] == whole
    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(name,primarycontactid())"


def test_a_row_shows_every_column_beside_its_expanded_record_where_none_is_selected(api, ids):
    answer = api.json(f"/accounts({ids['Contoso']})?$expand=primarycontactid($select=fullname)")
    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(primarycontactid(fullname))/$entity"
    assert answer["accountnumber"] == "C1"
    assert without_control(answer["primarycontactid"]) == {"fullname": "Ann x", "contactid": ids["Ann"]}


def test_records_behind_a_single_row_carry_their_entity_tags_and_no_links(api, ids):
    tasks = "Account_Tasks($select=subject;$top=1)"
    answer = api.json(f"/accounts({ids['Contoso']})?$select=name&$expand=primarycontactid($select=fullname),{tasks}")
    contact = api("GET", f"/contacts({ids['Ann']})?$select=fullname")
    assert answer["primarycontactid"]["@odata.etag"] == dict(contact.headers)["ETag"]
    task = api("GET", f"/tasks({ids['Task 1']})?$select=subject")
    assert answer["Account_Tasks"][0]["@odata.etag"] == dict(task.headers)["ETag"]
    assert "Account_Tasks@odata.nextLink" not in answer


def test_a_collection_shows_its_records_with_entity_tag_lookup_and_a_link_to_the_same_records(api, ids):
    path = "/accounts?$select=name&$expand=Account_Tasks($select=subject)"
    answer = api.json(path, prefer="odata.maxpagesize=2")

    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(name,Account_Tasks(subject))"
    found = row(answer, "Contoso")
    assert [task["subject"] for task in found["Account_Tasks"]] == ["Task 1", "Task 2", "Task 3"]
    members = ["@odata.etag", "subject", "_regardingobjectid_value", "activityid"]
    assert [list(task) for task in found["Account_Tasks"]] == [members] * 3
    assert {task["_regardingobjectid_value"] for task in found["Account_Tasks"]} == {ids["Contoso"]}
    link = found["Account_Tasks@odata.nextLink"]
    assert link == f"{ROOT}/accounts({ids['Contoso']})/Account_Tasks?$select=subject"
    again = api.json(link.removeprefix(ROOT))["value"]
    assert [task["subject"] for task in again] == ["Task 1", "Task 2", "Task 3"]


def test_an_empty_collection_is_an_empty_array_with_its_link(api, ids):
    alone = api.created("accounts", name="Alone")
    found = row(api.json("/accounts?$select=name&$expand=Account_Tasks($select=subject)"), "Alone")
    assert found["Account_Tasks"] == []
    assert found["Account_Tasks@odata.nextLink"] == f"{ROOT}/accounts({alone})/Account_Tasks?$select=subject"
    assert api("DELETE", f"/accounts({alone})").status == 204


@pytest.mark.parametrize(
    ("options", "subjects"),
    [
        ("$filter=subject eq 'Task 2'", ["Task 2"]),
        ("$filter=subject ne 'Task 2'", ["Task 1", "Task 3"]),
        ("$filter=contains(subject,'a''k')", []),
        ("$orderby=subject desc", ["Task 3", "Task 2", "Task 1"]),
        ("$orderby=subject desc;$top=2", ["Task 3", "Task 2"]),
        ("$top=0", []),
        ("$filter=regardingobjectid_account_task/name eq 'Contoso'", ["Task 1", "Task 2", "Task 3"]),
        ("$filter=regardingobjectid_account_task/primarycontactid/firstname eq 'Dan'", []),
        (
            "$filter=createdby_task/fullname eq '%23 Admin';$orderby=createdby_task/fullname,subject desc;$top=1",
            ["Task 3"],
        ),
        ("$filter=Microsoft.Dynamics.CRM.In(PropertyName='subject',PropertyValues=['Task 1'])", ["Task 1"]),
    ],
)
def test_options_inside_a_collection_choose_and_order_its_records(api, ids, options, subjects):
    path = f"/accounts?$select=name&$filter=name eq 'Contoso'&$expand=Account_Tasks($select=subject;{options})"
    (found,) = api.json(path)["value"]
    assert [task["subject"] for task in found["Account_Tasks"]] == subjects
    link = found["Account_Tasks@odata.nextLink"].removeprefix(ROOT)
    assert [task["subject"] for task in api.json(link)["value"]] == subjects


@pytest.mark.parametrize(("function", "count"), [("Today", 3), ("Yesterday", 0)])
def test_relative_conditions_inside_an_expansion_are_resolved_for_rows_and_for_one_row(api, ids, function, count):
    condition = f"Microsoft.Dynamics.CRM.{function}(PropertyName='createdon')"
    expand = f"$select=name&$expand=Account_Tasks($select=subject;$filter={condition})"
    assert len(row(api.json(f"/accounts?{expand}"), "Contoso")["Account_Tasks"]) == count
    assert len(api.json(f"/accounts({ids['Contoso']})?{expand}")["Account_Tasks"]) == count


def test_options_outside_and_inside_do_not_disturb_one_another(api, ids):
    path = (
        "/contacts?$select=firstname&$filter=parentcustomerid_account/name eq 'Contoso'&$orderby=firstname desc&$top=2"
        "&$count=true&$expand=parentcustomerid_account($select=name),Contact_Tasks($filter=subject eq 'x')"
    )
    answer = api.json(path)
    assert answer["@odata.count"] == 3
    shown = [(found["firstname"], found["parentcustomerid_account"]["name"]) for found in answer["value"]]
    assert shown == [("Cid", "Contoso"), ("Bob", "Contoso")]


def test_the_next_page_expands_too(api, ids):
    path = "/contacts?$select=firstname&$orderby=firstname&$expand=parentcustomerid_account($select=name)"
    page = api.json(path, prefer="odata.maxpagesize=3")
    names = [(r["firstname"], (r["parentcustomerid_account"] or {}).get("name")) for r in page["value"]]
    page = api.json(page["@odata.nextLink"].removeprefix(ROOT), prefer="odata.maxpagesize=3")
    names += [(r["firstname"], (r["parentcustomerid_account"] or {}).get("name")) for r in page["value"]]
    contoso = [("Ann", "Contoso"), ("Bob", "Contoso"), ("Cid", "Contoso")]
    assert names == [*contoso, ("Dan", "Fabrikam"), ("Eve", None)]


def test_a_lookup_with_several_targets_is_expanded_for_the_target_that_the_property_names(api, ids):
    path = "/contacts?$select=firstname&$expand=parentcustomerid_account($select=name),parentcustomerid_contact"
    rows = {found["firstname"]: found for found in api.json(path)["value"]}
    assert rows["Ann"]["parentcustomerid_account"]["name"] == "Contoso"
    assert {found["parentcustomerid_contact"] for found in rows.values()} == {None}


def test_a_reference_shows_the_url_of_the_record_and_the_lookup_beside_it(api, ids):
    answer = api.json("/accounts?$select=name&$expand=primarycontactid/$ref")
    assert answer["@odata.context"] == f"{ROOT}/$metadata#accounts(name,primarycontactid,primarycontactid/$ref())"
    found = row(answer, "Contoso")
    assert list(found) == ["@odata.etag", "name", "_primarycontactid_value", "accountid", "primarycontactid"]
    assert found["_primarycontactid_value"] == ids["Ann"]
    assert found["primarycontactid"] == {"@odata.id": f"{ROOT}/contacts({ids['Ann']})"}
    assert row(answer, "Fabrikam")["primarycontactid"] is None


def test_urls_in_rows_name_the_service_as_the_request_does(services, ids):
    for version in ("v9.1", "v9.2", "v9.1"):
        client = Client(services, web_api.handle, f"/api/data/{version}")
        answer = client.json("/accounts?$select=name&$expand=primarycontactid/$ref")
        url = row(answer, "Contoso")["primarycontactid"]["@odata.id"]
        assert url == f"https://org.test:8443/api/data/{version}/contacts({ids['Ann']})"


def test_nested_lookups_are_expanded_level_by_level_without_entity_tags(api, ids):
    path = (
        "/tasks?$select=subject&$filter=subject eq 'Task 1'&$expand=regardingobjectid_account_task($select=name;"
        "$expand=primarycontactid($select=fullname;$expand=parentcustomerid_account($select=accountnumber)))"
    )
    answer = api.json(path)
    assert answer["@odata.context"].endswith(
        "#tasks(subject,regardingobjectid_account_task(name,primarycontactid(fullname,"
        "parentcustomerid_account(accountnumber))))"
    )
    assert answer["value"][0]["regardingobjectid_account_task"] == {
        "name": "Contoso",
        "accountid": ids["Contoso"],
        "primarycontactid": {
            "fullname": "Ann x",
            "contactid": ids["Ann"],
            "parentcustomerid_account": {"accountnumber": "C1", "accountid": ids["Contoso"]},
        },
    }


NESTED = (
    "/accounts?$select=name&$expand=Account_Tasks($select=subject),"
    "contact_customer_accounts($select=firstname;$expand=owninguser($select=fullname))"
)


def test_one_nested_expand_pages_every_collection_and_takes_its_entity_tags_away(api, ids):
    found = row(api.json(NESTED, prefer="odata.maxpagesize=2"), "Contoso")
    assert found["Account_Tasks"] == [
        {"subject": "Task 1", "activityid": ids["Task 1"]},
        {"subject": "Task 2", "activityid": ids["Task 2"]},
    ]
    assert [list(contact) for contact in found["contact_customer_accounts"]] == [
        ["firstname", "contactid", "owninguser"],
        ["firstname", "contactid", "owninguser"],
    ]
    link = found["Account_Tasks@odata.nextLink"]
    last, first = ids["Task 2"], ids["Task 1"]
    assert link == (
        f"{ROOT}/accounts({ids['Contoso']})/Account_Tasks?$select=subject&$skiptoken=%3Ccookie%20pagenumber=%222%22%20"
        "pagingcookie=%22%253ccookie%2520page%253d%25221%2522%2520countOfRecords%253d%25222%2522%253e%253cactivityid%25"
        f"20last%253d%2522%257b{last}%257d%2522%2520first%253d%2522%257b{first}%257d%2522%2520%252f%253e%253c%252f"
        "cookie%253e%22%20istracking=%22False%22%20/%3E"
    )
    assert [task["subject"] for task in api.json(link.removeprefix(ROOT))["value"]] == ["Task 3"]


def test_the_link_behind_a_full_page_expands_on(api, ids):
    found = row(api.json(NESTED, prefer="odata.maxpagesize=2"), "Contoso")
    link = found["contact_customer_accounts@odata.nextLink"].removeprefix(ROOT)
    (rest,) = api.json(link, prefer="odata.maxpagesize=2")["value"]
    assert (rest["firstname"], rest["owninguser"]["fullname"]) == ("Cid", "# Admin")


def test_a_nested_collection_that_does_not_fill_its_page_has_no_link(api, ids):
    assert [name for name in row(api.json(NESTED), "Contoso") if "nextLink" in name] == []


def test_a_collection_inside_a_lookup_is_linked_from_the_record_that_has_it(api, ids):
    path = (
        f"/tasks({ids['Task 1']})?$select=subject&$expand=regardingobjectid_account_task($select=name;"
        "$expand=Account_Tasks($select=subject;$filter=subject ne 'Task 2'))"
    )
    account = api.json(path, prefer="odata.maxpagesize=1")["regardingobjectid_account_task"]
    assert account["Account_Tasks"] == [{"subject": "Task 1", "activityid": ids["Task 1"]}]
    link = account["Account_Tasks@odata.nextLink"].removeprefix(ROOT)
    assert link.startswith(f"/accounts({ids['Contoso']})/Account_Tasks?$select=subject&$filter=")
    assert [task["subject"] for task in api.json(link)["value"]] == ["Task 3"]


def test_roles_of_a_user_are_listed_as_administrators_scripts_do(api, admin):
    path = f"/systemusers({admin})?$select=fullname&$expand=systemuserroles_association($select=roleid,name)"
    answer = api.json(path)
    assert [role["name"] for role in answer["systemuserroles_association"]] == ["System Administrator"]
    assert [list(role) for role in answer["systemuserroles_association"]] == [["@odata.etag", "roleid", "name"]]
    context = "systemusers(fullname,systemuserroles_association(roleid,name))/$entity"
    assert answer["@odata.context"] == f"{ROOT}/$metadata#{context}"


def test_several_many_to_many_relationships_are_expanded_together(api, ids):
    path = "/systemusers?$select=fullname&$expand=systemuserroles_association($select=name),teammembership_association"
    users = {user["fullname"]: user for user in api.json(path)["value"]}
    assert len(users["# Admin"]["systemuserroles_association"]) == 1
    assert users["# Roleless"]["systemuserroles_association"] == []
    assert "teammembership_association@odata.nextLink" in users["# Admin"]


def test_an_owner_is_shown_as_the_principal_that_it_is(api, ids, admin):
    answer = api.json("/accounts?$select=name&$expand=ownerid")
    assert row(answer, "Contoso")["ownerid"] == {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "ownerid": admin}

    (team,) = (team["teamid"] for team in api.json("/teams?$select=isdefault")["value"] if team["isdefault"])
    (role,) = api.json("/roles?$select=name&$filter=name eq 'System Administrator'")["value"]
    reference = {"@odata.id": f"{ROOT}/roles({role['roleid']})"}
    assert api("POST", f"/teams({team})/teamroles_association/$ref", reference).status == 204
    assert api("PATCH", f"/accounts({ids['Fabrikam']})", {"ownerid@odata.bind": f"/teams({team})"}).status == 204
    found = api.json(f"/accounts({ids['Fabrikam']})?$select=name&$expand=ownerid($select=ownerid)")["ownerid"]
    assert (found["@odata.type"], found["ownerid"]) == ("#Microsoft.Dynamics.CRM.team", team)
    named = api.json(f"/accounts({ids['Fabrikam']})?$select=name&$expand=ownerid/$ref")["ownerid"]
    assert named == {"@odata.id": f"{ROOT}/teams({team})"}


def test_annotations_are_shown_in_expanded_records_where_they_are_asked_for(api, ids):
    path = "/accounts?$select=name&$expand=primarycontactid($select=_parentcustomerid_value,statecode)"
    found = row(api.json(path, prefer='odata.include-annotations="*"'), "Contoso")["primarycontactid"]
    value = "_parentcustomerid_value"
    assert found[f"{value}@OData.Community.Display.V1.FormattedValue"] == "Contoso"
    assert found[f"{value}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert found[f"{value}@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_account"
    assert found["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"


def test_a_created_record_is_answered_with_what_it_expands(api, ids):
    body = {"firstname": "Fay", "parentcustomerid_account@odata.bind": f"/accounts({ids['Contoso']})"}
    path = "/contacts?$select=firstname&$expand=parentcustomerid_account($select=name)"
    answer = api("POST", path, body, prefer="return=representation")
    made = json.loads(answer.body)
    assert answer.status == 201
    assert made["parentcustomerid_account"]["name"] == "Contoso"
    assert made["@odata.context"].endswith("#contacts(firstname,parentcustomerid_account(name))/$entity")
    assert api("DELETE", f"/contacts({made['contactid']})").status == 204


def test_a_changed_record_is_answered_without_what_it_could_expand(api, ids):
    path = f"/contacts({ids['Bob']})?$select=firstname&$expand=parentcustomerid_account($select=name)"
    answer = api("PATCH", path, {"lastname": "x"}, prefer="return=representation")
    assert answer.status == 200
    assert "parentcustomerid_account" not in json.loads(answer.body)


def test_a_row_that_expands_is_never_not_modified(api, ids):
    path = f"/contacts({ids['Bob']})?$select=firstname"
    etag = dict(api("GET", path).headers)["ETag"]
    assert api("GET", path, if_none_match=etag).status == 304
    expanded = f"{path}&$expand=parentcustomerid_account($select=name)"
    assert api("GET", expanded, if_none_match=etag).status == 200


def test_the_rows_behind_a_row_expand_too(api, ids):
    path = (
        f"/accounts({ids['Contoso']})/contact_customer_accounts?$select=firstname&$expand=createdby($select=fullname)"
    )
    assert {found["createdby"]["fullname"] for found in api.json(path)["value"]} == {"# Admin"}
    single = f"/accounts({ids['Contoso']})/primarycontactid?$select=firstname&$expand=createdby($select=fullname)"
    assert api.json(single)["createdby"]["fullname"] == "# Admin"


ONLY = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)
REF = "Expand with $ref is only supported on lookup type navigation property."
ACCOUNT = "Microsoft.Dynamics.CRM.account"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("$expand=nothing", f"Could not find a property named 'nothing' on type '{ACCOUNT}'."),
        ("$expand=PrimaryContactId", f"Could not find a property named 'PrimaryContactId' on type '{ACCOUNT}'."),
        ("$expand=name", f"Property 'name' on type '{ACCOUNT}' is not a navigation property or complex property."),
        ("$expand=primarycontactid($select=nothing)", "'nothing' on type 'Microsoft.Dynamics.CRM.contact'"),
        ("$expand=primarycontactid($expand=nothing)", "'nothing' on type 'Microsoft.Dynamics.CRM.contact'"),
        ("$expand=Account_Tasks($filter=nothing eq 1)", "'nothing' on type 'Microsoft.Dynamics.CRM.task'"),
        ("$expand=Account_Tasks($orderby=nothing)", "'nothing' on type 'Microsoft.Dynamics.CRM.task'"),
        ("$expand=ownerid($select=fullname)", "'fullname' on type 'Microsoft.Dynamics.CRM.principal'"),
        ("$expand=ownerid($expand=createdby)", "'createdby' on type 'Microsoft.Dynamics.CRM.principal'"),
        ("$expand=Account_Tasks/$ref", REF),
        ("$expand=primarycontactid($top=1)", ONLY),
        ("$expand=primarycontactid($orderby=fullname)", ONLY),
        ("$expand=Account_Tasks($top=1),primarycontactid($expand=createdby)", ONLY),
        ("$expand=Account_Tasks($orderby=subject;$expand=createdby)", ONLY),
        ("$expand=primarycontactid($filter=firstname eq 'Ann')", "'$filter' cannot be applied"),
        ("$expand=Account_Tasks($count=true)", "'$count' cannot be applied"),
        ("$expand=Account_Tasks($levels=2)", "'$levels' cannot be applied"),
        ("$expand=Account_Tasks($skip=2)", "'$skip' cannot be applied"),
        ("$expand=Account_Tasks/$count", "not allowed in $expand"),
        ("$expand=*", "not allowed in $expand"),
        ("$expand=primarycontactid/createdby", "Found a path traversing multiple navigation properties."),
        ("$expand=primarycontactid,primarycontactid", "expanded only once"),
        ("$expand=Account_Tasks($filter=subject eq @a)&@a='x'", "Parameter aliases are not supported inside $expand."),
        ("$expand=Account_Tasks($select=subject&$filter=a)", "0x"),
    ],
)
def test_what_cannot_be_expanded_is_refused(api, ids, query, text):
    status, code, message = api.error("GET", f"/accounts?$select=name&{query}")
    assert (status, text in f"{message} {code}") == (400, True), (status, message)
    single = api.error("GET", f"/accounts({ids['Contoso']})?$select=name&{query}")
    assert single == (status, code, message)


@pytest.mark.parametrize(
    "items",
    [
        "systemuserroles_association,businessunitid",
        "systemuserroles_association($expand=createdby)",
        "businessunitid($select=name;$expand=createdby),systemuserroles_association",
        "createdby($expand=systemuserroles_association)",
    ],
)
def test_many_to_many_relationships_are_neither_nested_nor_mixed(api, items):
    status, code, message = api.error("GET", f"/systemusers?$select=fullname&$expand={items}")
    assert (status, code) == (400, "0x80060888")
    assert "many-to-many" in message.lower()


def test_fifteen_properties_are_expanded_and_not_one_more(api, ids):
    deep = "createdby"
    for _ in range(14):
        deep = f"createdby($select=fullname;$expand={deep})"
    assert api("GET", f"/accounts?$select=name&$expand={deep}").status == 200
    status, _, message = api.error("GET", f"/accounts?$select=name&$expand={deep},primarycontactid")
    assert status == 400
    assert "15" in message
