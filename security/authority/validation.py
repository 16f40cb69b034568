"""Validation of access tokens: signature, issuer, tenant, audience and time, with a cache of those found valid."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, RSAKey

from security.authority.signing_keys import KeyRing, LoadedKeys
from security.authority.tokens import v1_issuer

CLOCK_SKEW: Final = 300.0
"""Seconds by which clocks may differ; the default of Microsoft's token libraries."""
CACHE_SIZE: Final = 4096
_LONGEST_TOKEN: Final = 32 * 1024


class InvalidToken(Exception):
    """A token that opens nothing; `error_description` says why, for the `WWW-Authenticate` header."""

    def __init__(self, error_description: str) -> None:
        """Keep the reason."""
        super().__init__(error_description)
        self.error_description = error_description


class InvalidAudience(InvalidToken):
    """The token is good, but for another resource."""


class ExpiredToken(InvalidToken):
    """The token was good."""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Who calls, as a valid token says; `expires` is in seconds since 1970-01-01 UTC, without clock skew."""

    tenant_id: UUID
    object_id: UUID
    app_id: UUID
    is_app: bool
    user_principal_name: str | None
    name: str | None
    audience: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    expires: float


@dataclass(frozen=True, slots=True)
class _Checked:
    claims: TokenClaims
    valid_from: float
    valid_until: float


class TokenValidator:
    """Validates access tokens of one tenant; remembers valid ones until they expire or the keys change.

    A hit costs one look at the key store's version, one digest and one dictionary access.
    """

    def __init__(
        self, ring: KeyRing, tenant_id: UUID, *, issuer_hosts: frozenset[str], cache_size: int = CACHE_SIZE
    ) -> None:
        """Accept the v1 issuer, and v2 issuers on the given host names (without port)."""
        self._ring = ring
        self._tenant_id = tenant_id
        self._issuer_hosts = issuer_hosts
        self._cache_size = cache_size
        self._lock = Lock()
        self._cache: OrderedDict[tuple[bytes, frozenset[str]], _Checked] = OrderedDict()
        self._cached_for: LoadedKeys | None = None

    def validate(self, token: str, *, audiences: frozenset[str], now: float) -> TokenClaims:
        """Return the claims of a token meant for one of the audiences, given as URLs or ids.

        Audiences are compared without regard to a trailing slash and to the case of scheme and host.

        Raises:
            InvalidToken: the token is malformed, not ours, changed, too early; `ExpiredToken`, `InvalidAudience`.
        """
        loaded = self._ring.loaded()
        entry = (hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), audiences)
        with self._lock:
            if loaded is not self._cached_for:
                self._cache.clear()
                self._cached_for = loaded
            checked = self._cache.get(entry)
            if checked is not None and checked.valid_from <= now < checked.valid_until:
                self._cache.move_to_end(entry)
                return checked.claims
        checked = self._check(token, loaded, audiences, now)
        with self._lock:
            if loaded is self._cached_for:
                self._cache[entry] = checked
                while len(self._cache) > self._cache_size:
                    self._cache.popitem(last=False)
        return checked.claims

    def _check(self, token: str, loaded: LoadedKeys, audiences: frozenset[str], now: float) -> _Checked:
        claims = _verified_claims(token, loaded)
        self._check_issuer(claims)
        audience = _text(claims, "aud")
        if canonical_audience(audience) not in {canonical_audience(known) for known in audiences}:
            raise InvalidAudience(f"The audience '{audience}' is not this resource.")
        expires, not_before = _number(claims, "exp"), _number(claims, "nbf")
        if now >= expires + CLOCK_SKEW:
            raise ExpiredToken(f"The token expired at {_moment(expires)}.")
        if now < not_before - CLOCK_SKEW:
            raise InvalidToken(f"The token is not valid before {_moment(not_before)}.")
        return _Checked(
            claims=self._token_claims(claims, audience, expires),
            valid_from=not_before - CLOCK_SKEW,
            valid_until=expires + CLOCK_SKEW,
        )

    def _check_issuer(self, claims: Mapping[str, object]) -> None:
        if _identifier(claims, "tid") != self._tenant_id:
            raise InvalidToken("The token was issued for another tenant.")
        issuer = _text(claims, "iss")
        if issuer == v1_issuer(self._tenant_id):
            return
        try:
            parts = urlsplit(issuer)
            host = parts.hostname
        except ValueError as error:
            raise InvalidToken("The issuer is not a URL.") from error
        if host not in self._issuer_hosts or issuer != f"{parts.scheme}://{parts.netloc}/{self._tenant_id}/v2.0":
            raise InvalidToken(f"The issuer '{issuer}' is unknown.")

    def _token_claims(self, claims: Mapping[str, object], audience: str, expires: float) -> TokenClaims:
        # v1 and v2 format name the client `appid` and `azp`, the user `upn` and `preferred_username`.
        return TokenClaims(
            tenant_id=self._tenant_id,
            object_id=_identifier(claims, "oid"),
            app_id=_identifier(claims, "appid" if "appid" in claims else "azp"),
            is_app=claims.get("idtyp") == "app",
            user_principal_name=_optional_text(claims, "upn") or _optional_text(claims, "preferred_username"),
            name=_optional_text(claims, "name"),
            audience=audience,
            roles=_texts(claims, "roles"),
            scopes=tuple((_optional_text(claims, "scp") or "").split()),
            expires=expires,
        )


def canonical_audience(audience: str) -> str:
    """Return the form in which audiences are compared: lower-case scheme, host and ids, no trailing slash."""
    scheme, separator, rest = audience.partition("://")
    if not separator:
        return audience.lower()
    authority, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{authority.lower()}{slash}{path}".removesuffix("/")


def _verified_claims(token: str, loaded: LoadedKeys) -> Mapping[str, object]:
    def key_of(guest: GuestProtocol) -> RSAKey:
        kid = guest.headers().get("kid")
        key = loaded.by_kid.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise InvalidToken("The token is signed with a key that is unknown or withdrawn.")
        return key

    if len(token) > _LONGEST_TOKEN:
        raise InvalidToken("The token is too long.")
    try:
        # RS256 only: neither `none` nor an HMAC over the public key gets past this list (RFC 8725 §3.1).
        verified = jws.deserialize_compact(token, key_of, algorithms=["RS256"])
        claims = orjson.loads(verified.payload or b"")
    except (JoseError, ValueError) as error:
        raise InvalidToken("The token is malformed or its signature does not match.") from error
    if not isinstance(claims, dict):
        raise InvalidToken("The token holds no claims.")
    return claims


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise InvalidToken(f"The token has no valid claim '{name}'.")
    return value


def _optional_text(claims: Mapping[str, object], name: str) -> str | None:
    return _text(claims, name) if name in claims else None


def _texts(claims: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = claims.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidToken(f"The token has no valid claim '{name}'.")
    return tuple(values)


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"The token has no valid claim '{name}'.")
    return float(value)


def _identifier(claims: Mapping[str, object], name: str) -> UUID:
    try:
        return UUID(_text(claims, name))
    except ValueError as error:
        raise InvalidToken(f"The token has no valid claim '{name}'.") from error


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return str(seconds)
