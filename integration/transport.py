"""HTTP sessions that trust exactly the certificate bundle they are given and never wait for ever."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0


class _BoundedAdapter(HTTPAdapter):
    """An adapter whose requests time out even where the caller (MSAL, for one) names no time-out."""

    def send(
        self,
        request: "PreparedRequest",
        stream: bool = False,  # noqa: FBT001, FBT002 - requests calls it so
        timeout: "float | tuple[float, float] | tuple[float, None] | None" = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - as above
        cert: "bytes | str | tuple[bytes | str, bytes | str] | None" = None,
        proxies: Mapping[str, str] | None = None,
    ) -> "Response":
        """Send with the given time-out, else with connect and read limits of its own."""
        bounded = (CONNECT_SECONDS, READ_SECONDS) if timeout is None else timeout
        return super().send(request, stream, bounded, verify, cert, proxies)


def open_session(url: str, ca_bundle: str | None) -> requests.Session:
    """Open a session for the server at `url`.

    With a bundle, the session trusts that bundle and nothing else: requests would let REQUESTS_CA_BUNDLE and
    CURL_CA_BUNDLE override `verify`, so the environment is consulted for proxies only, and not even for those where
    the server is on this machine: no proxy could reach it. Without a bundle, the environment decides as usual.
    """
    session = requests.Session()
    adapter = _BoundedAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if ca_bundle is not None:
        session.trust_env = False
        session.verify = ca_bundle
        if not is_loopback(url):
            session.proxies.update(get_environ_proxies(url, no_proxy=None))
    return session


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
