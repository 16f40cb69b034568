"""Definitions of tables are asked for once, however a table is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from live_servers import Server

from integration.connection import ConnectionFlags, resolve_connection
from integration.web_api import WebApi
from odata_server.admin.remote_tables import NoTableError, RemoteTables
from odata_server.admin.services import open_services


class Counted:
    """A session with the Web API that counts what is asked."""

    def __init__(self, service: WebApi) -> None:
        self._service = service
        self.asked: list[str] = []

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, object]:
        self.asked.append(path)
        return self._service.get(path, query)


@pytest.fixture
def counted(server: Server) -> Iterator[Counted]:
    with open_services(resolve_connection(ConnectionFlags(data=str(server.data)), "admin", {})) as services:
        yield Counted(services.dataverse)


def test_a_table_is_read_once_by_whatever_name(counted: Counted):
    tables = RemoteTables(counted)
    account = tables.table("account")
    assert account.columns["parentaccountid"].navigation("account") == "parentaccountid"
    assert account.by_display_name["account name"].name == "name"
    assert account.columns["industrycode"].options["accounting"] == 1
    for name in ("accounts", "Account", "account"):
        assert tables.table(name) is account
    asked = len(counted.asked)
    for name in ("accounts", "Account", "account"):
        tables.table(name)
    assert len(counted.asked) == asked


def test_a_table_that_is_not_there_is_named(counted: Counted):
    with pytest.raises(NoTableError, match="no table 'nothing'"):
        RemoteTables(counted).table("nothing")
