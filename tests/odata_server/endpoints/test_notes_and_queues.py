"""Notes, attachments, addresses, queue items and connections know what they belong to."""

from __future__ import annotations

from base64 import b64encode

import pytest
from things import dump


@pytest.fixture(scope="module")
def account(api):
    return api.created("accounts", name="Contoso")


@pytest.fixture(scope="module")
def contact(api):
    return api.created("contacts", firstname="Maria", lastname="Example")


def test_a_note_with_a_file_is_a_document_that_knows_its_size_and_record(api, account, contact):
    body = b64encode(b"what the file says").decode()
    content = {"filename": "a.txt", "mimetype": "text/plain", "documentbody": body}
    about = {"objectid_account@odata.bind": f"/accounts({account})"}
    note = api.created("annotations", subject="Contract", notetext="See the file.", **content, **about)
    path = f"/annotations({note})?$select=isdocument,filesize,objecttypecode,documentbody"
    row = api.json(path)
    assert (row["isdocument"], row["filesize"], row["objecttypecode"]) == (True, 18, "account")
    assert row["documentbody"] == body
    moved = {"documentbody": None, "objectid_contact@odata.bind": f"/contacts({contact})"}
    assert api("PATCH", f"/annotations({note})", moved).status == 204
    row = api.json(path)
    assert (row["isdocument"], row["filesize"], row["objecttypecode"]) == (False, None, "contact")
    (listed,) = api.json(f"/contacts({contact})?$select=fullname&$expand=Contact_Annotation($select=subject)")[
        "Contact_Annotation"
    ]
    assert listed["subject"] == "Contract"


@pytest.mark.parametrize("body", ["not base 64!", "QQ"])
def test_a_note_whose_file_is_not_in_base_64_is_refused(api, account, body):
    before = dump(api.services.dataverse.database)
    about = {"objectid_account@odata.bind": f"/accounts({account})"}
    status, code, message = api.error("POST", "/annotations", {"documentbody": body, **about})
    assert (status, code) == (400, "0x80040203")
    assert "documentbody" in message
    assert dump(api.services.dataverse.database) == before


def test_notes_go_with_their_record(api):
    account = api.created("accounts", name="Fabrikam")
    note = api.created("annotations", subject="Gone", **{"objectid_account@odata.bind": f"/accounts({account})"})
    assert api("DELETE", f"/accounts({account})").status == 204
    assert api("GET", f"/annotations({note})").status == 404


def test_an_attachment_of_an_email_knows_its_size(api):
    """It may be bound to the activity, whatever type that is of, and belongs to the email then."""
    email = api.created("emails", subject="With a file")
    attachment = api.created(
        "activitymimeattachments",
        filename="a.bin",
        body=b64encode(bytes(100)).decode(),
        **{"objectid_activitypointer@odata.bind": f"/activitypointers({email})"},
    )
    row = api.json(f"/activitymimeattachments({attachment})?$select=filesize,_objectid_value,objecttypecode")
    assert (row["filesize"], row["_objectid_value"], row["objecttypecode"]) == (100, email, "email")
    assert api("DELETE", f"/emails({email})").status == 204
    assert api("GET", f"/activitymimeattachments({attachment})").status == 404


def test_an_item_of_a_queue_has_the_name_of_what_waits_in_it(api):
    queue = api.created("queues", name="Support")
    task = api.created("tasks", subject="Call back")
    bound = {"queueid@odata.bind": f"/queues({queue})", "objectid_task@odata.bind": f"/tasks({task})"}
    item = api.created("queueitems", **bound)
    row = api.json(f"/queueitems({item})?$select=title,objecttypecode,enteredon,statecode,_objectid_value")
    assert (row["title"], row["objecttypecode"], row["statecode"]) == ("Call back", 4212, 0)
    assert row["enteredon"] is not None
    (listed,) = api.json(f"/queues({queue})/queue_entries?$select=title")["value"]
    assert listed["title"] == "Call back"


def test_members_of_a_queue_are_users(api):
    (me,) = api.json("/systemusers?$select=systemuserid&$filter=fullname eq '%23 Admin'")["value"]
    queue = api.created("queues", name="Members")
    path = f"/queues({queue})/queuemembership_association/$ref"
    user = f"https://org.test:8443/api/data/v9.2/systemusers({me['systemuserid']})"
    assert api("POST", path, {"@odata.id": user}).status == 204
    members = api.json(f"/queues({queue})/queuemembership_association?$select=fullname")["value"]
    assert [m["fullname"] for m in members] == ["# Admin"]


def test_a_connection_is_named_after_where_it_leads(api, account, contact):
    ends = {
        "record1id_account@odata.bind": f"/accounts({account})",
        "record2id_contact@odata.bind": f"/contacts({contact})",
    }
    connection = api.created("connections", **ends)
    row = api.json(f"/connections({connection})?$select=name,record1objecttypecode,record2objecttypecode")
    assert (row["name"], row["record1objecttypecode"], row["record2objecttypecode"]) == ("Maria Example", 1, 2)
    (listed,) = api.json(f"/accounts({account})/account_connections1?$select=name")["value"]
    assert listed["name"] == "Maria Example"


def test_an_address_belongs_to_a_customer(api, account):
    address = api.created("customeraddresses", city="Oslo", **{"parentid_account@odata.bind": f"/accounts({account})"})
    row = api.json(f"/customeraddresses({address})?$select=objecttypecode,city&$expand=parentid_account($select=name)")
    assert (row["objecttypecode"], row["city"], row["parentid_account"]["name"]) == ("account", "Oslo", "Contoso")


@pytest.mark.parametrize(
    "entity_set",
    ["solutioncomponents", "dependencies", "audits", "importjobs", "bulkdeletefailures", "plugintypestatistics"],
)
def test_what_the_server_notes_is_not_made_by_a_caller(api, entity_set):
    before = dump(api.services.dataverse.database)
    assert api("POST", f"/{entity_set}", {}).status == 405
    assert dump(api.services.dataverse.database) == before
