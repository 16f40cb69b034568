"""pyodata, unmodified, over TLS: metadata, queries of every kind, writes, links and batches of the OData v2 service."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pyodata
import pytest
from pyodata.exceptions import HttpError, PyODataException
from pyodata.v2.model import Config, EndRole
from pyodata.v2.service import FilterExpression as Q

ROOT = "/XRMServices/2011/OrganizationData.svc"


@pytest.fixture(scope="module")
def service(server, session):
    return pyodata.Client(f"{server.url}{ROOT}", session, config=Config(retain_null=True))


@pytest.fixture(scope="module")
def accounts(service):
    return service.entity_sets.AccountSet


@pytest.fixture(scope="module")
def family(accounts):
    """An account with a primary contact and two more, and sixty plain ones."""
    made = accounts.create_entity().set(
        Name="Pyramid",
        Revenue={"Value": "1500000.25"},
        IndustryCode={"Value": 1},
        NumberOfEmployees=60,
        Address1_Latitude=52.5,
        account_primary_contact={
            "FirstName": "Ann",
            "LastName": "O'Neil",
            "BirthDate": datetime(1990, 5, 17, tzinfo=UTC),
        },
        contact_customer_accounts=[{"LastName": "Berg"}, {"LastName": "Carlsen"}],
    )
    done = made.execute()
    for number in range(60):
        accounts.create_entity().set(Name=f"Py {number:02}", NumberOfEmployees=number).execute()
    return done


def test_the_metadata_has_every_table_with_its_properties_and_navigation(service):
    account = service.schema.entity_type("Account")
    assert [key.name for key in account.key_proprties] == ["AccountId"]
    assert account.proprty("Name").typ.name == "Edm.String"
    assert [part.name for part in account.proprty("PrimaryContactId").typ.proprties()] == [
        "Id",
        "LogicalName",
        "Name",
        "RowVersion",
    ]
    contact = account.nav_proprty("account_primary_contact").to_role
    assert (contact.entity_type_name, contact.multiplicity) == ("Contact", EndRole.MULTIPLICITY_ZERO_OR_ONE)
    children = account.nav_proprty("contact_customer_accounts").to_role
    assert children.multiplicity == EndRole.MULTIPLICITY_ZERO_OR_MORE
    assert {"AccountSet", "ContactSet", "SystemUserSet", "TaskSet"} <= {
        found.name for found in service.schema.entity_sets
    }


def test_a_created_entity_comes_back_whole(family):
    assert (family.Name, family.NumberOfEmployees, family.Address1_Latitude) == ("Pyramid", 60, 52.5)
    assert (family.Revenue["Value"], family.IndustryCode["Value"]) == ("1500000.2500", 1)
    assert (family.PrimaryContactId["LogicalName"], family.PrimaryContactId["Name"]) == ("contact", "Ann O'Neil")
    assert family.ParentAccountId == {"Id": None, "LogicalName": None, "Name": None, "RowVersion": None}
    assert (family.Description, family.CreatedOn.tzinfo) == (None, UTC)
    assert UUID(family.AccountId)
    assert int(family.VersionNumber) > 0


def test_by_default_the_client_puts_something_in_the_place_of_null(server, session, family):
    service = pyodata.Client(f"{server.url}{ROOT}", session)
    found = service.entity_sets.AccountSet.get_entity(family.AccountId).execute()
    assert (found.Name, found.Description, found.Address1_Longitude) == ("Pyramid", "", 0.0)
    assert (found.LastUsedInCampaign.year, found.StageId) == (1753, "00000000-0000-0000-0000-000000000000")


def test_an_entity_is_read_by_its_key(accounts, family):
    found = accounts.get_entity(family.AccountId).select("Name,AccountId").execute()
    assert (found.Name, found.AccountId, found.etag[:3]) == ("Pyramid", family.AccountId, 'W/"')
    assert found.url.endswith(f"{ROOT}/AccountSet(guid'{family.AccountId}')")
    assert accounts.get_entity(AccountId=family.AccountId).execute().Name == "Pyramid"


def test_a_property_is_read_when_it_is_looked_at(accounts, family):
    found = accounts.get_entity(family.AccountId).select("AccountId").execute()
    assert found.NumberOfEmployees == 60
    assert found.get_proprty("Name").execute() == "Pyramid"


def test_what_is_not_there_is_an_error_of_http(accounts):
    with pytest.raises(HttpError, match="404") as caught:
        accounts.get_entity("00000000-0000-0000-0000-0000000000ff").execute()
    assert caught.value.response.json()["error"]["code"] == "-2147220969"


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"Name": "Py 07"}, ["Py 07"]),
        ({"Name__startswith": "Py 0", "NumberOfEmployees__lt": 2}, ["Py 00", "Py 01"]),
        ({"Name__contains": "rami"}, ["Pyramid"]),
        ({"Name__endswith": "y 59"}, ["Py 59"]),
        ({"NumberOfEmployees__gte": 59, "NumberOfEmployees__lte": 60}, ["Py 59", "Pyramid"]),
        ({"Name__in": ["Py 01", "Py 02"]}, ["Py 01", "Py 02"]),
        ({"Name__startswith": "Py", "Name__length": 7}, ["Pyramid"]),
        ({"Address1_Latitude__gt": 52.25, "Name__startswith": "Py"}, ["Pyramid"]),
    ],
)
def test_filters_by_keyword(accounts, filters, names):
    found = accounts.get_entities().filter(**filters).order_by("Name").select("Name").execute()
    assert [one.Name for one in found] == names


@pytest.mark.usefixtures("family")
def test_filters_of_expressions_and_texts(accounts):
    either = accounts.get_entities().filter(Q(Name="Py 03") | Q(Name="Py 04")).select("Name").execute()
    assert len(either) == 2
    request = accounts.get_entities()
    name = request.Name == "Py 05"
    employees = request.NumberOfEmployees > 4
    assert len(request.filter(request.Name.and_(name, employees)).execute()) == 1
    since = datetime(2020, 1, 1, tzinfo=UTC)
    assert len(accounts.get_entities().filter(CreatedOn__gt=since, Name="Py 06").execute()) == 1
    text = "PrimaryContactId/Id ne null and Revenue/Value eq 1500000.25M and IndustryCode/Value eq 1"
    assert [one.Name for one in accounts.get_entities().filter(text).select("Name").execute()] == ["Pyramid"]
    text = "account_primary_contact/LastName eq 'O''Neil' and startswith(Name,'Py')"
    assert len(accounts.get_entities().filter(text).execute()) == 1


def test_a_filter_that_the_service_does_not_read_is_an_error(accounts):
    with pytest.raises(HttpError, match="400"):
        accounts.get_entities().filter(NumberOfEmployees__range=(1, 2)).execute()


@pytest.mark.usefixtures("family")
def test_counts(accounts):
    mine = "startswith(Name,'Py ')"
    assert accounts.get_entities().filter(mine).count().execute() == 60
    found = accounts.get_entities().filter(mine).top(3).count(inline=True).execute()
    assert (len(found), found.total_count) == (3, 60)


@pytest.mark.usefixtures("family")
def test_pages_follow_one_another(accounts):
    def query():
        return accounts.get_entities().filter("startswith(Name,'Py ')").order_by("Name desc").select("Name")

    first = query().execute()
    second = query().next_url(first.next_url).execute()
    assert (len(first), len(second), second.next_url) == (50, 10, None)
    assert [one.Name for one in (*first, *second)] == [f"Py {number:02}" for number in reversed(range(60))]
    assert [one.Name for one in query().skip(2).top(2).execute()] == ["Py 57", "Py 56"]


def test_related_entities_come_along(accounts, family):
    found = accounts.get_entity(family.AccountId).expand("account_primary_contact,contact_customer_accounts").execute()
    assert found.account_primary_contact.FullName == "Ann O'Neil"
    assert found.account_primary_contact.BirthDate == datetime(1990, 5, 17, tzinfo=UTC)
    assert sorted(one.LastName for one in found.contact_customer_accounts) == ["Berg", "Carlsen"]
    chosen = accounts.get_entities().filter(Name="Pyramid").expand("account_primary_contact")
    found = chosen.select("Name,account_primary_contact/FullName").execute()[0]
    assert found.account_primary_contact.FullName == "Ann O'Neil"


def test_navigation_leads_to_entities(service, accounts, family):
    children = family.nav("contact_customer_accounts")
    assert sorted(one.LastName for one in children.get_entities().execute()) == ["Berg", "Carlsen"]
    assert children.get_entities().count().execute() == 2
    assert [one.LastName for one in children.get_entities().filter(LastName="Berg").execute()] == ["Berg"]
    assert family.nav("account_primary_contact").execute().FullName == "Ann O'Neil"
    made = children.create_entity().set(LastName="Dahl").execute()
    assert made.ParentCustomerId["Id"] == family.AccountId
    service.entity_sets.ContactSet.delete_entity(made.ContactId).execute()
    lonely = accounts.get_entities().filter(Name="Py 00").execute()[0]
    with pytest.raises(HttpError, match="404"):
        accounts.get_entity(lonely.AccountId).nav("account_primary_contact").execute()


@pytest.mark.parametrize("method", [None, "PATCH", "MERGE"])
def test_an_update_changes_what_it_names(accounts, family, method):
    accounts.update_entity(family.AccountId, method=method).set(Description=f"by {method}").execute()
    found = accounts.get_entity(family.AccountId).execute()
    assert (found.Description, found.NumberOfEmployees) == (f"by {method}", 60)


def test_put_replaces(accounts):
    made = accounts.create_entity().set(Name="Whole", Description="goes", NumberOfEmployees=1).execute()
    accounts.update_entity(made.AccountId, method="PUT").set(Name="Replaced", NumberOfEmployees=2).execute()
    found = accounts.get_entity(made.AccountId).execute()
    assert (found.Name, found.Description, found.NumberOfEmployees) == ("Replaced", None, 2)


def test_lookups_choices_and_amounts_are_set_as_complex_values(service, accounts, family):
    contact = service.entity_sets.ContactSet.create_entity().set(LastName="Chief").execute()
    made = accounts.create_entity().set(Name="Complex").execute()
    reference = {"Id": contact.ContactId, "LogicalName": "contact"}
    accounts.update_entity(made.AccountId).set(
        PrimaryContactId=reference,
        ParentAccountId={"Id": family.AccountId},
        IndustryCode={"Value": 2},
        CreditLimit={"Value": "10.5"},
    ).execute()
    found = accounts.get_entity(made.AccountId).execute()
    assert (found.PrimaryContactId["Name"], found.ParentAccountId["Name"]) == ("Chief", "Pyramid")
    assert (found.IndustryCode["Value"], found.CreditLimit["Value"]) == (2, "10.5000")


def test_a_state_cannot_be_set(accounts, family):
    with pytest.raises(HttpError, match="400"):
        accounts.update_entity(family.AccountId).set(StateCode={"Value": 1}).execute()


def test_a_deleted_entity_is_gone(accounts):
    made = accounts.create_entity().set(Name="Short-lived").execute()
    accounts.delete_entity(made.AccountId).execute()
    with pytest.raises(HttpError, match="404"):
        accounts.get_entity(made.AccountId).execute()
    with pytest.raises(HttpError, match="404"):
        accounts.delete_entity(made.AccountId).execute()


def test_a_batch_reads_and_changes(service, accounts):
    made = accounts.create_entity().set(Name="Batched").execute()
    batch, changes = service.create_batch(), service.create_changeset()
    batch.add_request(accounts.get_entities().filter(Name="Batched").select("Name"))
    changes.add_request(accounts.create_entity().set(Name="In a change set"))
    changes.add_request(accounts.update_entity(made.AccountId).set(Name="Changed in a batch"))
    batch.add_request(changes)
    batch.add_request(accounts.get_entity(made.AccountId))
    before, (created, updated), after = batch.execute()
    assert ([one.Name for one in before], created.Name, updated) == (["Batched"], "In a change set", None)
    assert after.Name == "Changed in a batch"


def test_a_change_set_that_fails_changes_nothing(service, accounts):
    batch, changes = service.create_batch(), service.create_changeset()
    changes.add_request(accounts.create_entity().set(Name="Taken back"))
    changes.add_request(accounts.update_entity("00000000-0000-0000-0000-0000000000ff").set(Name="Nobody"))
    batch.add_request(changes)
    with pytest.raises(HttpError):
        batch.execute()
    assert accounts.get_entities().filter(Name="Taken back").count().execute() == 0


def test_a_name_that_is_not_declared_is_an_error_of_the_client(accounts):
    with pytest.raises(PyODataException, match="Nope"):
        accounts.create_entity().set(Nope=1)
