"""python-odata, unmodified: classes from `$metadata`, queries, and rows that are made, changed and deleted.

Two settings are needed, as they are against Dataverse: null properties are not sent, because a body of all properties
holds read-only ones, and `Prefer: return=representation`, because the library looks for the new key in the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from live_servers import Server
from odata import ODataService
from odata.exceptions import NoResultsFound, ODataError
from odata.flags import ODataServerFlags
from odata.navproperty import NavigationProperty
from odata.property import BooleanProperty, DatetimeProperty, IntegerProperty, StringProperty, UUIDProperty
from odata.query import Query


@pytest.fixture(scope="module")
def service(server: Server, session: requests.Session) -> ODataService:
    session.headers["Prefer"] = "return=representation"
    return ODataService(
        f"{server.url}/api/data/v9.2/",
        session=session,
        reflect_entities=True,
        quiet_progress=True,
        server_flags=ODataServerFlags(skip_null_properties=True),
    )


@pytest.fixture(scope="module")
def accounts(service: ODataService) -> type:
    return service.entities["accounts"]


@pytest.fixture(scope="module")
def contacts(service: ODataService) -> type:
    return service.entities["contacts"]


@pytest.fixture
def bakery(service: ODataService, accounts: type) -> Iterator[object]:
    """An account that is there while a test runs."""
    made = accounts()
    made.name = "O'Brien & Sons (50% off)"
    made.numberofemployees = 7
    service.save(made)
    yield made
    service.delete(made)


def test_every_entity_set_becomes_a_class(service: ODataService, session: requests.Session):
    listed = session.get(service.url).json()["value"]
    assert {each["name"] for each in listed} <= set(service.entities)
    assert len(service.entities) > 40


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("accountid", UUIDProperty),
        ("name", StringProperty),
        ("numberofemployees", IntegerProperty),
        ("donotemail", BooleanProperty),
        ("createdon", DatetimeProperty),
        ("primarycontactid", NavigationProperty),
    ],
)
def test_properties_have_the_kind_of_their_type(accounts: type, name: str, kind: type):
    assert type(getattr(accounts, name)) is kind


def test_the_key_is_the_primary_id(accounts: type, contacts: type):
    assert [name for name, _ in accounts().__odata__.primary_key_properties] == ["accountid"]
    assert [name for name, _ in contacts().__odata__.primary_key_properties] == ["contactid"]


def test_functions_are_called_with_the_parameters_they_have(service: ODataService):
    # The library reads the member "value" of an answer; that of WhoAmI has none.
    assert service.functions["WhoAmI"]() is None
    with pytest.raises(TypeError, match="Received keyword arguments: 'Nobody'"):
        service.functions["WhoAmI"](Nobody=1)


def test_filters_are_understood(service: ODataService, accounts: type, bakery: object):
    found = service.query(accounts).filter(accounts.name == bakery.name).all()
    assert [each.accountid for each in found] == [bakery.accountid]
    either = (accounts.name.contains("50% off")) | (accounts.numberofemployees < 0)
    assert [each.name for each in service.query(accounts).filter(either)] == [bakery.name]
    several = service.query(accounts).filter(accounts.name.startswith("O'B")).filter(accounts.name.endswith("off)"))
    assert several.one().accountid == bakery.accountid


def test_dates_and_missing_values_are_compared(service: ODataService, accounts: type, bakery: object):
    since = service.query(accounts).filter(accounts.createdon >= bakery.createdon)
    assert bakery.accountid in {each.accountid for each in since}
    without = service.query(accounts).filter(accounts.telephone1.is_null()).filter(accounts.name == bakery.name)
    assert [each.accountid for each in without] == [bakery.accountid]
    assert service.query(accounts).filter(accounts.name.is_null()).all() == []


def test_rows_are_ordered_limited_and_selected(service: ODataService, accounts: type):
    query = service.query(accounts).order_by(accounts.name.desc()).select(accounts.name).limit(3)
    names = [row["name"] for row in query]
    assert len(names) == 3
    assert names == sorted(names, key=str.casefold, reverse=True)


def total(query: Query) -> int:
    """Count with `$apply`, since `count()` cannot read the number of `/$count`, which comes with a byte order mark."""
    return query.raw({"$apply": "aggregate($count as total)"})[0]["total"]


def test_all_pages_are_read(service: ODataService, contacts: type, session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(session.headers, "Prefer", "odata.maxpagesize=70")
    ids = [each.contactid for each in service.query(contacts)]
    assert len(set(ids)) == len(ids) == total(service.query(contacts))
    assert len(ids) > 70


def test_the_number_of_rows_comes_as_dataverse_writes_it(service: ODataService, contacts: type):
    with pytest.raises(ValueError, match="invalid literal for int"):
        service.query(contacts).count()


def test_related_rows_are_expanded_and_followed(service: ODataService, contacts: type, accounts: type):
    with_account = contacts._parentcustomerid_value.not_null()
    expanded = service.query(contacts).filter(with_account).expand(contacts.parentcustomerid_account).first()
    account = expanded.parentcustomerid_account
    assert account.name
    followed = service.query(contacts).get(expanded.contactid)
    assert followed.parentcustomerid_account.name == account.name
    whole = service.query(accounts).get(account.accountid)
    assert expanded.contactid in {each.contactid for each in whole.contact_customer_accounts}


def test_a_filter_reaches_through_a_lookup(service: ODataService, contacts: type):
    one = service.query(contacts).filter(contacts._parentcustomerid_value.not_null()).first()
    account = one.parentcustomerid_account
    found = service.query(contacts).filter(contacts.parentcustomerid_account.accountid == account.accountid)
    assert one.contactid in {each.contactid for each in found}


def test_a_row_is_made_changed_and_deleted(service: ODataService, accounts: type, contacts: type):
    person = service.query(contacts).first()
    made = accounts()
    made.name = "Made by python-odata"
    made.primarycontactid = person
    service.save(made)
    assert service.is_entity_saved(made)

    stored = service.query(accounts).get(made.accountid)
    assert (stored.name, stored.primarycontactid.contactid) == ("Made by python-odata", person.contactid)
    stored.name = "Changed by python-odata"
    stored.numberofemployees = 12
    service.save(stored)
    assert stored.numberofemployees == 12
    assert service.query(accounts).get(made.accountid).name == "Changed by python-odata"

    service.delete(stored)
    with pytest.raises(NoResultsFound):
        service.query(accounts).get(made.accountid)


def test_a_refusal_is_shown_with_code_and_message(service: ODataService, accounts: type, bakery: object):
    bakery.numberofemployees = -5
    with pytest.raises(ODataError) as refused:
        service.save(bakery)
    assert (refused.value.status_code, refused.value.code) == ("HTTP 400", "0x80044330")
    assert "numberofemployees" in refused.value.message
    assert service.query(accounts).get(bakery.accountid).numberofemployees == 7


def test_skip_is_refused_as_dataverse_refuses_it(service: ODataService, accounts: type):
    with pytest.raises(ODataError, match=r"Query option '\$skip' is not allowed"):
        service.query(accounts).offset(3).all()


def test_without_a_token_nothing_is_reflected(server: Server):
    with requests.Session() as anonymous, pytest.raises(SyntaxError, match="Start tag expected"):
        ODataService(f"{server.url}/api/data/v9.2/", session=anonymous, reflect_entities=True, quiet_progress=True)
