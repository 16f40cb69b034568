"""Catalogs for tests of the EDM: the standard tables, and Human Resources."""

import os
from pathlib import Path

import pytest

from entities.human_resources import model
from entities.metadata.catalog import Catalog, catalog
from entities.standard.environment import standard_catalog


@pytest.fixture(scope="session")
def dataverse() -> Catalog:
    return standard_catalog(1)


@pytest.fixture(scope="session")
def human_resources() -> Catalog:
    return catalog(1, model.TABLES, model.RELATIONSHIPS)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with the OASIS schemas and a real Dataverse document."""
    default = Path(__file__).parents[4] / "shared"
    folder = Path(os.environ.get("TALENTVERSE_REFERENCE", default))
    if not (folder / "data").is_dir():
        pytest.skip("the reference folder is not here; TALENTVERSE_REFERENCE names it")
    return folder
