"""Redirect URIs: which ones an application may name, and how an answer is sent there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from security.authority.model import AppRegistration

RESPONSE_MODES: Final = ("query", "fragment", "form_post")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST: Final = 2048


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where an answer goes, how, and the `state` that goes along."""

    uri: str
    mode: str
    state: str | None

    def parameters(self, answer: Mapping[str, str]) -> dict[str, str]:
        """Return the answer with its state."""
        return dict(answer) | ({} if self.state is None else {"state": self.state})

    def location(self, answer: Mapping[str, str]) -> str:
        """Return the URL that carries an answer in its query or fragment."""
        text = urlencode(self.parameters(answer))
        if self.mode == "fragment":
            return f"{self.uri}#{text}"
        return f"{self.uri}{'&' if urlsplit(self.uri).query else '?'}{text}"


def accepts_redirect(application: AppRegistration, uri: str) -> bool:
    """Tell whether a URI is registered; that of a program on this machine may name any port (RFC 8252 §7.3)."""
    if len(uri) > _LONGEST or not uri.isascii() or not uri.isprintable() or {" ", "#", "\\"} & set(uri):
        return False
    if uri in application.redirect_uris:
        return True
    given = _loopback(uri)
    return given is not None and any(given == _loopback(registered) for registered in application.redirect_uris)


def _loopback(uri: str) -> tuple[str, str, str] | None:
    """Return what has to agree of a loopback URI; None for any other."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or "@" in parts.netloc:
        return None
    return parts.hostname, parts.path.removesuffix("/"), parts.query
