"""Client assertions: JSON Web Tokens that an application signs with the key of one of its certificates.

Sources: RFC 7523 §2.2 and §3; Learn: Microsoft identity platform application authentication certificate credentials.

An assertion may come again while it lasts: MSAL sends one for nine minutes (RFC 7523 §3 leaves it to the server).
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from security.authority.authority import Authority, tenant_of
from security.authority.client_certificates import LoadedCertificate, loaded_certificate
from security.authority.errors import (
    AssertionAudienceError,
    AssertionIssuerError,
    AssertionSignatureError,
    AssertionTimeError,
    CredentialNotAvailableError,
    MalformedAssertionError,
)
from security.authority.model import AppRegistration
from security.authority.validation import CLOCK_SKEW

LONGEST_LIFETIME: Final = 86_400.0
"""Seconds from now to the expiry of an assertion; MSAL's are valid for ten minutes."""
_ALGORITHMS: Final = ["RS256", "PS256"]
# The token endpoints of both generations; Learn names the issuer of v2 tokens as an audience too.
_AUDIENCE_PATHS: Final = frozenset({"oauth2/v2.0/token", "oauth2/token", "v2.0"})

_Identify = Callable[[object], bytes | None]


@dataclass(frozen=True, slots=True)
class _Assertion:
    """An assertion that has been read, but not yet proved."""

    token: jws.CompactSignature
    claims: Mapping[str, object]

    @property
    def headers(self) -> Mapping[str, object]:
        """The headers of the token."""
        return self.token.headers()


class _AssertionRegistry(jws.JWSRegistry):
    """The limits of an assertion: its header may hold a chain of certificates (`x5c`)."""

    max_header_length = 24 * 1024
    max_payload_length = 8 * 1024


def check_client_assertion(authority: Authority, application: AppRegistration, assertion: str, *, origin: str) -> None:
    """Accept an assertion that the application has signed for this authority and this moment.

    Args:
        authority: knows the tenant and the time.
        application: whose certificates count.
        assertion: a compact JWS.
        origin: scheme, host and port of the request, with which the audience begins.

    Raises:
        MalformedAssertionError: no JWT, a claim is missing, or the algorithm is neither RS256 nor PS256.
        CredentialNotAvailableError: the assertion of another issuer.
        AssertionSignatureError: signed by nobody the application knows, or changed afterwards.
        AssertionIssuerError, AssertionAudienceError, AssertionTimeError: a claim says something else.
    """
    read = _read(assertion)
    _check_issuer(application, read.claims)
    now = authority.sources.clock()
    certificate = _certificate(application, read.headers, now)
    try:
        # A list of two: neither `none` nor an HMAC over the public key gets past it (RFC 8725 §3.1).
        key = RSAKey.import_key(certificate.public_key)
        proved = jws.validate_compact(read.token, key, _ALGORITHMS, _registry())
    except (JoseError, ValueError):
        proved = False
    if not proved:
        raise _bad_signature(
            application, read.headers, "The provided signature value did not match the expected signature value."
        )
    _check_audience(authority, read.claims, origin)
    _check_times(read.claims, now)


def _read(assertion: str) -> _Assertion:
    """Return headers and claims without trusting them yet."""
    try:
        token = jws.extract_compact(assertion.encode("ascii"), registry=_registry())
        claims = orjson.loads(token.payload or b"")
    except (JoseError, ValueError) as error:
        raise MalformedAssertionError(detail="The client assertion is not a signed JSON Web Token.") from error
    if token.headers().get("alg") not in _ALGORITHMS:
        raise MalformedAssertionError(detail=f"The client assertion must be signed with {' or '.join(_ALGORITHMS)}.")
    if not isinstance(claims, dict):
        raise MalformedAssertionError(detail="The client assertion holds no claims.")
    return _Assertion(token, MappingProxyType(claims))


def _registry() -> jws.JWSRegistry:
    # Headers that mean nothing here are ignored (RFC 7515 §4), critical ones are refused.
    return _AssertionRegistry(algorithms=_ALGORITHMS, strict_check_header=False)


def _check_issuer(application: AppRegistration, claims: Mapping[str, object]) -> None:
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    client_id = str(application.client_id)
    if issuer.lower() == subject.lower() == client_id:
        return
    if issuer.startswith("https://"):
        raise CredentialNotAvailableError
    raise AssertionIssuerError(application=client_id)


def _check_audience(authority: Authority, claims: Mapping[str, object], origin: str) -> None:
    audience = _text(claims, "aud")
    try:
        parts = urlsplit(audience)
    except ValueError:
        parts = urlsplit("")
    tenant, _, path = parts.path.strip("/").partition("/")
    wanted = f"{parts.scheme}://{parts.netloc}".lower() == origin.lower() and not parts.query and not parts.fragment
    if not wanted or path not in _AUDIENCE_PATHS or tenant_of(authority, tenant) is None:
        raise AssertionAudienceError(endpoint=f"{origin}/{authority.tenant.tenant_id}/oauth2/v2.0/token")


def _check_times(claims: Mapping[str, object], now: float) -> None:
    """Compare times, which may be fractions of a second (RFC 7519 §2, NumericDate)."""
    expires = _number(claims, "exp")
    starts = [_number(claims, name) for name in ("nbf", "iat") if name in claims]
    detail = None
    if now >= expires + CLOCK_SKEW:
        detail = "It is expired."
    elif starts and now < max(starts) - CLOCK_SKEW:
        detail = "It is not valid yet."
    elif expires > now + LONGEST_LIFETIME + CLOCK_SKEW:
        detail = f"It may be valid for {LONGEST_LIFETIME:.0f} seconds."
    if detail is not None:
        raise AssertionTimeError(
            now=_moment(now), starts=_moment(max(starts, default=now)), expires=_moment(expires), detail=detail
        )


def _certificate(application: AppRegistration, headers: Mapping[str, object], now: float) -> LoadedCertificate:
    """Return the application's certificate that the headers name: all that they say has to agree."""
    given = [(name, identify(headers[name])) for name, identify in _IDENTIFIERS.items() if name in headers]
    if not given:
        raise _bad_signature(application, headers, "The header names no key by 'x5t', 'x5t#S256' or 'x5c'.")
    for stored in application.certificates:
        loaded = loaded_certificate(stored.certificate_pem)
        known = {"x5t": loaded.sha1, "x5t#S256": loaded.sha256, "x5c": loaded.der}
        if any(value != known[name] for name, value in given):
            continue
        if not stored.starts - CLOCK_SKEW <= now < stored.expires:
            raise _bad_signature(application, headers, "The key used is expired or not valid yet.")
        return loaded
    raise _bad_signature(application, headers, "The key was not found.")


def _thumbprint(value: object) -> bytes | None:
    return _decoded(value) if isinstance(value, str) else None


def _first_of_chain(value: object) -> bytes | None:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        return None
    try:
        # MSAL for Python leaves the line breaks of the PEM file inside.
        return base64.b64decode("".join(value[0].split()), validate=True)
    except (binascii.Error, ValueError):
        return None


_IDENTIFIERS: Final[Mapping[str, _Identify]] = MappingProxyType(
    {"x5t": _thumbprint, "x5t#S256": _thumbprint, "x5c": _first_of_chain}
)


def _bad_signature(application: AppRegistration, headers: Mapping[str, object], reason: str) -> AssertionSignatureError:
    named = _thumbprint(headers.get("x5t")) or _thumbprint(headers.get("x5t#S256")) or b""
    return AssertionSignatureError(reason=reason, thumbprint=named.hex().upper(), application=application.client_id)


def _decoded(text: str) -> bytes | None:
    """Return the bytes of base64url with or without padding: MSAL for Python pads its thumbprints."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise MalformedAssertionError(detail=f"The client assertion has no valid claim '{name}'.")
    return value


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedAssertionError(detail=f"The client assertion has no valid claim '{name}'.")
    return float(value)


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
