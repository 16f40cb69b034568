"""The Web API over accounts with a portrait, a photo and a film, and teams with a crest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from things import dump

from entities.metadata import declare
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import ImageType


@pytest.fixture(scope="module")
def api(api, environments):
    """Accounts have the image of the release, another one that is kept whole, and a file; teams an image like that."""
    with environments[0].changing() as transaction:
        tables = transaction.catalog.tables
        more = (
            *declare.image("new_Photo", "Photo", ImageType(max_size_kb=2 * 1024, is_primary=False), is_custom=True),
            *declare.file("new_Film", max_size_kb=20 * 1024, is_custom=True),
        )
        account = replace(tables["account"], columns=(*tables["account"].columns, *more))
        crest = declare.image("new_Crest", "Crest", is_custom=True)
        team = replace(tables["team"], columns=(*tables["team"].columns, *crest))
        transaction.change_catalog(CatalogChange((account, team)))
    return api


@pytest.fixture
def account(api):
    return api.created("accounts", name="A")


@pytest.fixture
def content(environments):
    """The whole database, to tell that a refusal has left it as it was."""
    return lambda: dump(environments[0].database)
