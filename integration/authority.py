"""Finding the token authority of a server that was named by its URL alone."""

import re
from typing import Final

import requests

from integration.transport import open_session

# Learn: "Authenticate to Dataverse": a request without a token is answered 401 with the authority's address.
_AUTHORIZATION_URI: Final = re.compile(r'authorization_uri="?(?P<authority>https?://[^\s,"]+?)/oauth2/', re.IGNORECASE)


class AuthorityNotFoundError(Exception):
    """The server did not say which authority issues its tokens."""


def discover_authority(url: str, ca_bundle: str | None) -> str:
    """Ask the Web API at `url`, without a token, which authority issues its tokens.

    Returns the authority with its tenant, such as `https://localhost:8443/<tenant>`.

    Raises:
        AuthorityNotFoundError: the server cannot be reached or its answer names no authority.
    """
    with open_session(url, ca_bundle) as session:
        try:
            answer = session.get(f"{url}/api/data/v9.2/WhoAmI", allow_redirects=False)
        except requests.RequestException as error:
            raise AuthorityNotFoundError(f"{url} cannot be reached ({reason_of(error)})") from error
    challenge = answer.headers.get("WWW-Authenticate", "")
    found = _AUTHORIZATION_URI.search(challenge)
    if found is None:
        raise AuthorityNotFoundError(
            f"{url} does not say which authority issues its tokens (HTTP {answer.status_code})"
        )
    return found["authority"]


def reason_of(error: requests.RequestException) -> str:
    """Say in a few words why a request got no answer; requests' own text holds object addresses."""
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not trusted; name the certificate bundle with --ca-bundle"
        case requests.exceptions.ConnectTimeout():
            return "no connection in time"
        case requests.exceptions.ReadTimeout():
            return "no answer in time"
        case requests.exceptions.ProxyError():
            return "the proxy refuses"
        case requests.ConnectionError():
            return _innermost(error)
        case _:
            return type(error).__name__


def _innermost(error: BaseException) -> str:
    """Follow the chain of causes to the operating system's own words, where there are any."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror.lower()
        seen = seen.__cause__ or seen.__context__
    return "the connection broke"
