"""How often a write is authorized: once, unless what it was authorized with has changed."""

from __future__ import annotations

import pytest
from things import CALLER, Office

from entities.messages import Create, Delete, Message, RelatedRecords, Update
from entities.metadata.catalog import Catalog
from odata_server.engine import admissions, organization
from security.authorize import Authorized, authorize
from security.principals import Principal


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_single_write_is_authorized_once(office: Office, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    gadget = office.create("gadget")
    asked: list[str] = []

    def counting(message: Message, principal: Principal, catalog: Catalog) -> Authorized[Message]:
        if principal is CALLER:
            asked.append(type(message).__name__)
        return authorize(message, principal, catalog)

    for module in (organization, admissions):
        monkeypatch.setattr(module, "authorize", counting)
    message = {
        "Create": Create("gadget", {"name": "x"}),
        "Update": Update(gadget, {"name": "x"}),
        "Delete": Delete(gadget),
    }[kind]
    office.service.execute(message, CALLER)
    assert asked == [kind]


def test_records_that_come_with_others_are_authorized_with_what_they_point_to(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Create] = []

    def noting(message: Message, principal: Principal, catalog: Catalog) -> Authorized[Message]:
        if isinstance(message, Create):
            seen.append(message)
        return authorize(message, principal, catalog)

    monkeypatch.setattr(admissions, "authorize", noting)
    child = Create("contact", {"lastname": "C"})
    office.service.execute(
        Create("account", {"name": "A"}, (RelatedRecords("contact_customer_accounts", made=(child,)),)), CALLER
    )
    assert [message.table for message in seen] == ["account", "contact"]
    assert "parentcustomerid" in seen[1].record
