"""The Web API with its definitions, for requests that read and change them."""

from dataclasses import replace

import pytest

from odata_server.endpoints.metadata import WebApiMetadata


@pytest.fixture(scope="module")
def api(api):
    """The Web API whose definitions are those of the environment."""
    return replace(api, services=replace(api.services, metadata=WebApiMetadata()))
