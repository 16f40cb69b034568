"""The Web API over accounts with files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from things import dump

from entities.metadata import declare
from entities.metadata.catalog import CatalogChange


@pytest.fixture
def api(moments):
    """The Web API over accounts that have a file of 9 MB at most, and another one of 1 KB."""
    with moments.service.changing() as transaction:
        account = transaction.catalog.tables["account"]
        files = (*declare.file("new_Dossier", max_size_kb=9 * 1024), *declare.file("new_Note", max_size_kb=1))
        transaction.change_catalog(CatalogChange((replace(account, columns=(*account.columns, *files)),)))
    return moments.api


@pytest.fixture
def account(api):
    return api.created("accounts", name="A")


@pytest.fixture
def content(moments):
    """The whole database, to tell that a refusal has left it as it was."""
    return lambda: dump(moments.service.database)
