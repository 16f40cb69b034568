"""The Organization Data Service over the environment of the doors, in both modes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from organization_data import V2Client

from odata_server.endpoints.v2_state import OrganizationData


@pytest.fixture(scope="module")
def v2(services):
    return V2Client(services)


@pytest.fixture(scope="module")
def faithful(services):
    return V2Client(replace(services, organization_data=OrganizationData(is_faithful=True)))
