"""Rows that come as records, as virtual tables give them, look like those that the database makes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from entities.messages import RetrieveMultiple, Rows
from entities.metadata.catalog import catalog
from entities.metadata.declare import plain, primary_id, string
from entities.metadata.tables import Table
from entities.query import PageAnchor
from odata_server.endpoints.cache import BoundCache

ID = "1b2c3d4e-0000-4000-8000-00000000000a"
TABLE = Table(
    "mshr_thing", "mshr_Thing", "mshr_things", 11_000, "mshr_thingid", "mshr_name",
    (primary_id("mshr_thingid"), string("mshr_name")), plain("Thing"), plain("Things"),
)  # fmt: skip


class Provider:
    """An organization whose rows are records without versions and counts."""

    def __init__(self, directory):
        self.directory = self.members = directory
        self.catalog = catalog(1, (TABLE,), ())
        self.queries = []

    def execute(self, message, principal, *, shape=None):
        following = None
        if isinstance(message, RetrieveMultiple):
            self.queries.append(message.query)
            following = PageAnchor(2, (ID,)) if message.query.page and message.query.page.anchor is None else None
        return Rows(1, records=({"mshr_thingid": ID, "mshr_name": 'Ä"'},), next=following)


@pytest.fixture
def provider(services):
    return Provider(services.dataverse.directory)


@pytest.fixture
def virtual(api, services, provider):
    return replace(api, services=replace(services, dataverse=provider, rows=BoundCache(), row=BoundCache()))


def test_a_row_has_no_entity_tag(virtual):
    answer = virtual("GET", f"/mshr_things({ID})?$select=mshr_name")
    assert "ETag" not in dict(answer.headers)
    body = json.loads(answer.body)
    assert (body["mshr_name"], list(body)) == ('Ä"', ["@odata.context", "mshr_name", "mshr_thingid"])


def test_pages_are_followed_by_the_same_cookie(virtual, provider):
    first = virtual.json("/mshr_things?$select=mshr_name")
    link = first["@odata.nextLink"].partition("/v9.2")[2]
    assert "@odata.nextLink" not in virtual.json(link)
    assert provider.queries[-1].page.anchor == PageAnchor(2, (ID,))


def test_rows_are_counted_where_nobody_counts_them(virtual):
    assert virtual("GET", "/mshr_things/$count").body == b"\xef\xbb\xbf1"
