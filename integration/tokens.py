"""Access tokens of an application, by client credentials through MSAL."""

from collections.abc import Mapping
from typing import Protocol

import msal
import requests

from integration.authority import reason_of
from integration.connection import Connection
from integration.transport import open_session


class TokenError(Exception):
    """The authority issued no token; the text holds its AADSTS words where it gave any."""


class TokenSource(Protocol):
    """Whatever can hand out an access token for the Web API."""

    def __call__(self, *, fresh: bool = False) -> str:
        """Return a token; with `fresh`, one that is not from the cache.

        Raises:
            TokenError: no token is to be had.
        """
        ...


class TokenClient:
    """A confidential client application with MSAL's token cache."""

    def __init__(self, connection: Connection, http_client: requests.Session | None = None) -> None:
        self._connection = connection
        self._http_client = http_client or open_session(connection.authority, connection.ca_bundle)
        self._scopes = [f"{connection.url}/.default"]
        self._application: msal.ConfidentialClientApplication | None = None

    def __call__(self, *, fresh: bool = False) -> str:
        """Return an access token whose audience is the server.

        Raises:
            TokenError: the authority cannot be reached, is unknown to MSAL or refuses the application.
        """
        try:
            answer = self._acquire(fresh=fresh)
        except requests.RequestException as error:
            raise TokenError(
                f"the authority {self._connection.authority} cannot be reached: {reason_of(error)}"
            ) from error
        except (ValueError, msal.exceptions.MsalError) as error:
            raise TokenError(self._first_line(str(error))) from error
        token = answer.get("access_token")
        if not isinstance(token, str):
            description = str(answer.get("error_description") or answer.get("error") or "the answer holds no token")
            raise TokenError(self._first_line(description))
        return token

    def _acquire(self, *, fresh: bool) -> Mapping[str, object]:
        """Ask MSAL, which answers from its cache while a token has five minutes left."""
        if self._application is None:
            self._application = msal.ConfidentialClientApplication(
                self._connection.client_id,
                client_credential=self._connection.client_secret,
                authority=self._connection.authority,
                instance_discovery=False,
                http_client=self._http_client,
            )
        if fresh:
            self._application.remove_tokens_for_client()
        answer: Mapping[str, object] | None = self._application.acquire_token_for_client(self._scopes)
        return answer or {}

    def _first_line(self, text: str) -> str:
        """One line for people: Entra appends trace and correlation ids and a time to every description."""
        lines = text.strip().splitlines() or ["no reason given"]
        return f"no token for application {self._connection.client_id}: {lines[0].split(' Trace ID:')[0]}"
