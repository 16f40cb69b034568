"""How rules compare records."""

from __future__ import annotations

import pytest
from duplicates import DUPLICATE, ON, column, ids, retrieved

MATCHES = [
    ([column("name", 1, operatorparam=3)], {"name": "Contoso"}, {"name": "CONfold"}, {"name": "Cotton"}),
    ([column("name", 1, operatorparam=9)], {"name": "Contoso"}, {"name": "contoso"}, {"name": "Contoso Ltd"}),
    (
        [column("name", 2, operatorparam=3)],
        {"name": "Contoso"},
        {"name": "Virtuoso"},
        {"name": "so"},
    ),
    ([column("industrycode", 6)], {"industrycode": 1}, {"industrycode": 1}, {"industrycode": 2}),
    ([column("industrycode", 5)], {"industrycode": 1}, {"industrycode": 1}, {"industrycode": 2}),
    ([column("address1_addresstypecode", 5, "address2_addresstypecode")], {"address1_addresstypecode": 1}, {}, {}),
    ([column("donotemail")], {"donotemail": True}, {"donotemail": True}, {"donotemail": False}),
    ([column("numberofemployees")], {"numberofemployees": 3}, {"numberofemployees": 3}, {"numberofemployees": 4}),
    ([column("revenue")], {"revenue": 3.5}, {"revenue": 3.5}, {"revenue": 3.51}),
    ([column("name"), column("fax")], {"name": "A"}, {"name": "a"}, {"name": "A", "fax": "1"}),
    (
        [column("name"), column("fax", ignoreblankvalues=True)],
        {"name": "A", "fax": "1"},
        {"name": "A", "fax": "1"},
        {"name": "A"},
    ),
    (
        [column("telephone1", 0, "telephone2")],
        {"telephone1": "9", "telephone2": "1"},
        {"telephone1": "1"},
        {"telephone2": "1"},
    ),
]


@pytest.mark.parametrize(("conditions", "known", "same", "other"), MATCHES, ids=range(len(MATCHES)))
def test_a_rule_compares_as_its_conditions_say(api, rule, conditions, known, same, other):
    rule("account", "account", *conditions)
    if not same:
        known = {"address2_addresstypecode": 1}
        same, other = {"address1_addresstypecode": 1}, {"address1_addresstypecode": 3}
    api.created("accounts", **known)
    assert api("POST", "/accounts", other, **ON).status == 204
    assert api.error("POST", "/accounts", same, **ON) == DUPLICATE


DAYS = [
    ("task", "scheduledstart", 3, ("2026-05-01T01:00:00Z", "2026-05-01T23:59:59Z", "2026-05-02T00:00:00Z")),
    ("task", "scheduledstart", 4, ("2026-05-01T01:00:00Z", "2026-05-01T01:00:00Z", "2026-05-01T01:00:01Z")),
    ("contact", "birthdate", 3, ("2001-05-01", "2001-05-01", "2001-05-02")),
]


@pytest.mark.parametrize(("table", "name", "operator", "values"), DAYS)
def test_a_rule_compares_days_and_moments(api, rule, table, name, operator, values):
    known, same, other = values
    rule(table, table, column(name, operator))
    own = {"task": {"subject": "A"}, "contact": {"lastname": "A"}}[table]
    api.created(f"{table}s", **own, **{name: known})
    assert api("POST", f"/{table}s", {**own, name: other}, **ON).status == 204
    assert api.error("POST", f"/{table}s", {**own, name: same}, **ON) == DUPLICATE


@pytest.mark.parametrize(
    "conditions", [[column("name")], [column("name", 1, operatorparam=3)], [column("name", 2, operatorparam=3)]]
)
def test_a_rule_can_regard_the_case(api, rule, conditions):
    rule("account", "account", *conditions, iscasesensitive=True)
    api.created("accounts", name="ConSo")
    assert api("POST", "/accounts", {"name": "conso"}, **ON).status == 204
    assert api.error("POST", "/accounts", {"name": "ConSo"}, **ON) == DUPLICATE


def test_a_rule_can_leave_inactive_records_out(api, rule):
    rule("account", "account", column("name"), excludeinactiverecords=True)
    old = api.created("accounts", name="A")
    assert api.error("POST", "/accounts", {"name": "A"}, **ON) == DUPLICATE
    assert api("PATCH", f"/accounts({old})", {"statecode": 1}).status == 204
    assert api("POST", "/accounts", {"name": "A"}, **ON).status == 204


def test_records_of_another_table_can_be_duplicates(api, rule):
    rule("account", "contact", column("telephone1"))
    contact = api.created("contacts", lastname="B", telephone1="020 555")
    assert api.error("POST", "/accounts", {"name": "A", "telephone1": "020 555"}, **ON) == DUPLICATE
    account = api.created("accounts", name="A", telephone1="020 555")
    # The rule is about accounts.
    assert api("PATCH", f"/contacts({contact})", {"telephone1": "020 555"}, **ON).status == 204
    found = retrieved(api, {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}, "contact")
    assert ids(found, "contactid") == {contact}
    assert found["@odata.context"].endswith("$metadata#contacts")
