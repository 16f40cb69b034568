"""Pages read while others write: a record that is there throughout stands on exactly one of them, in its place."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from random import Random
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import pytest
from driving import CONTROL, Caller

LASTING = 48
SIZE = 5
SEEDS = (1, 2, 3)
COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
PREFER = {"Prefer": f'odata.maxpagesize={SIZE},odata.include-annotations="*"'}


@pytest.fixture(scope="module")
def lasting(application, administrator):
    """Contacts that nobody touches: few names, nulls among them, some of them of accounts."""
    Caller(application).post("/_talentverse/reset", headers=CONTROL)
    random = Random(0)
    accounts = [administrator.create("accounts", {"name": name}) for name in ("Ost", "nord", "Ost", "Süd")]
    ids = set()
    for _ in range(LASTING):
        contact = {
            "lastname": random.choice(("Ä", "b", "B", "c", None)),
            "numberofchildren": random.choice((None, 0, 1, 2)),
            "fax": "lasting",
        }
        if random.random() < 0.7:
            contact["parentcustomerid_account@odata.bind"] = f"/accounts({random.choice(accounts)})"
        ids.add(administrator.create("contacts", contact))
    return accounts, ids


@contextmanager
def writers(administrator, accounts, seed):
    """Let two others create, change and delete contacts of their own while a block lasts; give how often they did."""
    stopping, written, failures = threading.Event(), [], []

    def write(random):
        own = []
        while not stopping.is_set():
            try:
                contact = {
                    "lastname": random.choice(("a", "Ä", "b", "bb", "c", None)),
                    "numberofchildren": random.choice((None, 0, 1, 3)),
                    "parentcustomerid_account@odata.bind": f"/accounts({random.choice(accounts)})",
                }
                match random.randrange(3):
                    case 0 if own:
                        administrator.delete(f"contacts({own.pop(random.randrange(len(own)))})")
                    case 1 if own:
                        administrator.patch(f"contacts({random.choice(own)})", contact)
                    case _:
                        own.append(administrator.create("contacts", contact))
                written.append(1)
            except AssertionError as failure:
                failures.append(failure)
                return
        for contact in own:
            administrator.delete(f"contacts({contact})")

    threads = [threading.Thread(target=write, args=(Random(seed * 10 + n),)) for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def odata_pages(administrator, order):
    """Read every page that next links lead to."""
    path = f"contacts?$select=contactid,fax{f'&$orderby={order}' if order else ''}"
    while path:
        found = administrator.get(path, headers=PREFER)
        yield found["value"]
        link = found.get("@odata.nextLink")
        path = link and "/" + link.partition("://")[2].partition("/")[2]


def fetch_pages(administrator, order):
    """Read every page of a FetchXML query, each by the cookie of the one before it."""
    cookie, number = "", 1
    while number:
        text = (
            f"<fetch count='{SIZE}' page='{number}' {cookie}><entity name='contact'><attribute name='contactid'/>"
            f"<attribute name='fax'/>{order}</entity></fetch>"
        )
        found = administrator.get(f"contacts?fetchXml={quote(text)}", headers=PREFER)
        yield found["value"]
        if COOKIE not in found:
            return
        token = unquote(unquote(re.search(r'pagingcookie="([^"]*)"', found[COOKIE])[1]))
        cookie, number = f"paging-cookie={quoteattr(token)}", number + 1


ORDERS = {
    "the id": (odata_pages, ""),
    "a name with nulls": (odata_pages, "lastname"),
    "a name, descending": (odata_pages, "lastname desc"),
    "a number with nulls, then a name": (odata_pages, "numberofchildren desc,lastname"),
    "a time that grows": (odata_pages, "createdon desc"),
    "the name of a lookup": (odata_pages, "_parentcustomerid_value desc"),
    "FetchXML, the id": (fetch_pages, ""),
    "FetchXML, a name with nulls": (fetch_pages, "<order attribute='lastname' descending='true'/>"),
    "FetchXML, the name of a lookup": (
        fetch_pages,
        "<order attribute='parentcustomerid'/><order attribute='numberofchildren' descending='true'/>",
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ORDERS)
def test_what_is_there_throughout_stands_on_exactly_one_page(administrator, lasting, name, seed):
    accounts, ids = lasting
    read, order = ORDERS[name]
    quiet = [row["contactid"] for page in read(administrator, order) for row in page if row.get("fax") == "lasting"]
    with writers(administrator, accounts, seed) as written:
        pages = list(read(administrator, order))
    busy = [row["contactid"] for page in pages for row in page if row.get("fax") == "lasting"]
    assert set(quiet) == ids
    # Every one once, and in the order that they have when nobody writes.
    assert busy == quiet
    assert len(written) >= len(pages) // 5 > 0
