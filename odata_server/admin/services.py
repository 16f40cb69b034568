"""The three OData services an administrator's command talks to: the Web API, Human Resources, Microsoft Graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from integration.connection import Connection
from integration.tokens import TokenClient
from integration.transport import open_session
from integration.web_api import WebApi

FINANCE_PATH: Final = "/data/"
GRAPH_PATH: Final = "/v1.0/"
GRAPH_RESOURCE: Final = "https://graph.microsoft.com"


class UnexpectedAnswerError(Exception):
    """A service answered with success, but not with what was asked for."""


@dataclass(frozen=True, slots=True)
class AdminServices:
    """Sessions of the administrator's application."""

    url: str
    dataverse: WebApi
    human_resources: WebApi
    graph: WebApi


@contextmanager
def open_services(connection: Connection) -> Iterator[AdminServices]:
    """Open sessions with all three services; a token is asked for with the first request that needs it."""
    with open_session(connection.url, connection.ca_bundle) as session:
        own = TokenClient(connection)
        graph = TokenClient(replace(connection, url=GRAPH_RESOURCE))
        yield AdminServices(
            connection.url,
            WebApi(connection.url, own, session),
            WebApi(connection.url, own, session, api_path=FINANCE_PATH),
            WebApi(connection.url, graph, session, api_path=GRAPH_PATH),
        )


def rows(service: WebApi, path: str, query: Mapping[str, str] | None = None) -> list[Mapping[str, object]]:
    """Return the rows of a collection.

    Raises:
        UnexpectedAnswerError: the answer is no collection.
        WebApiError: the service refused.
        ServerUnreachableError: no answer came.
        TokenError: no token is to be had.
    """
    match service.get(path, query).get("value"):
        case list(found):
            return [row for row in found if isinstance(row, dict)]
        case _:
            raise UnexpectedAnswerError(f"the answer to {path} is no collection")


def text_of(row: Mapping[str, object], name: str) -> str:
    """Return a text of a row.

    Raises:
        UnexpectedAnswerError: the row has none by this name.
    """
    match row.get(name):
        case str(value):
            return value
        case _:
            raise UnexpectedAnswerError(f"the answer holds no {name}")
