"""The JSON forms of the Microsoft Graph slice: reading bodies and filters, writing applications and principals."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from security.authority.client_certificates import UnfitCertificateError, loaded_certificate, new_certificate
from security.authority.errors import MalformedRequestError
from security.authority.exchange import LARGEST_BODY, Request, query_parameters
from security.authority.graph_errors import GraphCode, GraphError
from security.authority.model import AppRegistration, ClientCertificate, ClientSecret

_LONGEST_NAME: Final = 256
_FILTER: Final = re.compile(r"\s*(appId|displayName|id)\s+eq\s+'((?:[^']|'')*)'\s*")
_ESCAPED_NULL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000").search
_SINGLE_TENANT: Final = "AzureADMyOrg"
_MOST_KEYS: Final = 20
_CERTIFICATE: Final = "AsymmetricX509Cert"
_VERIFY: Final = "Verify"
_KEY_PROPERTIES: Final = frozenset(
    {"keyId", "displayName", "type", "usage", "key", "customKeyIdentifier", "startDateTime", "endDateTime"}
)


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What the body of `POST /applications` asks for."""

    display_name: str
    redirect_uris: tuple[str, ...]
    is_public: bool
    keys: tuple[NewKey, ...] = ()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A certificate that a body brings, or, without `der`, one that the application has and keeps."""

    key_id: UUID | None
    der: bytes | None
    display_name: str | None
    expires: float | None


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What the body of `addPassword` asks for; `expires` is in seconds since 1970-01-01 UTC, None for the default."""

    display_name: str | None
    expires: float | None


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """The one form of `$filter` that is understood: a property equals a text."""

    name: str
    value: str


def read_new_application(request: Request) -> NewApplication:
    """Read the body of `POST /applications`.

    Web and public-client redirect URIs exclude each other here: an application is confidential or public.

    Raises:
        GraphError: the body is not JSON, a property is missing, of the wrong type, or not supported.
    """
    body = _object(request)
    _refuse_unknown(
        body, {"displayName", "signInAudience", "web", "publicClient", "isFallbackPublicClient", "keyCredentials"}
    )
    name = body.get("displayName")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        raise _bad(f"Property 'displayName' must be a text of 1 to {_LONGEST_NAME} characters.")
    if body.get("signInAudience", _SINGLE_TENANT) != _SINGLE_TENANT:
        raise _bad(f"Property 'signInAudience' must be '{_SINGLE_TENANT}': there is one tenant.")
    web, public = _redirect_uris(body, "web"), _redirect_uris(body, "publicClient")
    fallback = body.get("isFallbackPublicClient")
    if not isinstance(fallback, bool | None):
        raise _bad("Property 'isFallbackPublicClient' must be true, false or null.")
    is_public = bool(fallback or public) or ("publicClient" in body and "web" not in body)
    if web and is_public:
        raise _bad(
            "Properties 'web' and 'publicClient' exclude each other in this simulator: register two applications."
        )
    keys = _keys(body.get("keyCredentials"))
    if keys and is_public:
        raise _bad("Property 'keyCredentials' is for confidential applications: a public one has no credentials.")
    return NewApplication(name.strip(), web or public, is_public, keys)


def read_new_keys(request: Request) -> tuple[NewKey, ...]:
    """Read the body of `PATCH /applications/{id}`, which can replace the key credentials.

    Raises:
        GraphError: the body is not JSON, or a property is of the wrong type or not supported.
    """
    body = _object(request)
    _refuse_unknown(body, {"keyCredentials"})
    if "keyCredentials" not in body:
        raise _bad("Property 'keyCredentials' is the one that can be changed in this simulator.")
    return _keys(body["keyCredentials"])


def certificate_of(key: NewKey, had: Sequence[ClientCertificate], new_id: Callable[[], UUID]) -> ClientCertificate:
    """Return the certificate a body brings or keeps.

    Raises:
        GraphError: it is no fit certificate, or the application has none with this id.
    """
    if key.der is None:
        kept = next((each for each in had if each.key_id == key.key_id), None)
        if kept is None:
            raise _bad("Property 'key' of 'keyCredentials' is required for a credential that is not there yet.")
        return kept
    try:
        return new_certificate(
            key.der, key_id=key.key_id or new_id(), display_name=key.display_name, expires=key.expires
        )
    except UnfitCertificateError as error:
        raise _bad(f"Property 'key' of 'keyCredentials' is not usable: {error}.") from error


def read_new_password(request: Request) -> NewPassword:
    """Read the body of `addPassword`, which may be empty.

    Raises:
        GraphError: the body is not JSON, or a property is of the wrong type or not supported.
    """
    body = _object(request) if request.body else {}
    _refuse_unknown(body, {"passwordCredential"})
    credential = body.get("passwordCredential") or {}
    if not isinstance(credential, dict):
        raise _bad("Property 'passwordCredential' must be an object.")
    _refuse_unknown(credential, {"displayName", "endDateTime"})
    name = credential.get("displayName")
    if not isinstance(name, str | None) or len(name or "") > _LONGEST_NAME:
        raise _bad(f"Property 'displayName' must be a text of up to {_LONGEST_NAME} characters.")
    return NewPassword(name, _moment(credential.get("endDateTime")))


def read_app_id(request: Request) -> UUID:
    """Read the body of `POST /servicePrincipals`.

    Raises:
        GraphError: the body is not JSON, or has anything but a GUID as `appId`.
    """
    body = _object(request)
    _refuse_unknown(body, {"appId"})
    return identifier(body.get("appId"), "appId")


def read_filter(request: Request) -> PropertyFilter | None:
    """Read the query string of a collection: nothing, or `$filter=property eq 'text'`.

    Raises:
        GraphError: another option, or a filter of another form.
    """
    try:
        parameters = query_parameters(request)
    except MalformedRequestError as error:
        raise _bad(str(error)) from error
    unknown = sorted(parameters.keys() - {"$filter"})
    if unknown:
        raise GraphError(GraphCode.UNSUPPORTED_QUERY, f"Query option '{unknown[0][:100]}' is not supported.")
    if "$filter" not in parameters:
        return None
    match = _FILTER.fullmatch(parameters["$filter"])
    if match is None:
        raise GraphError(
            GraphCode.UNSUPPORTED_QUERY,
            "Unsupported or invalid query filter clause: appId, displayName or id eq 'value' is understood.",
        )
    return PropertyFilter(match[1], match[2].replace("''", "'"))


def identifier(value: object, name: str) -> UUID:
    """Return a GUID given as text.

    Raises:
        GraphError: it is none.
    """
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _bad(f"Invalid value specified for property '{name}' of resource: it must be a GUID.") from error


def application_document(application: AppRegistration, domain: str) -> dict[str, object]:
    """Return Graph's `application` resource."""
    uris = list(application.redirect_uris)
    return {
        "id": str(application.registration_id),
        "appId": str(application.client_id),
        "displayName": application.display_name,
        "createdDateTime": _text(application.created),
        "deletedDateTime": None,
        "signInAudience": _SINGLE_TENANT,
        "publisherDomain": domain,
        "identifierUris": [],
        "isFallbackPublicClient": application.is_public,
        "web": {"redirectUris": [] if application.is_public else uris},
        "publicClient": {"redirectUris": uris if application.is_public else []},
        "keyCredentials": [_key_document(certificate) for certificate in application.certificates],
        "passwordCredentials": [password_document(secret, None) for secret in application.secrets],
    }


def principal_document(application: AppRegistration, tenant_id: UUID) -> dict[str, object]:
    """Return Graph's `servicePrincipal` resource of an application."""
    return {
        "id": str(application.object_id),
        "appId": str(application.client_id),
        "displayName": application.display_name,
        "appDisplayName": application.display_name,
        "appOwnerOrganizationId": str(tenant_id),
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [str(application.client_id)],
        "signInAudience": _SINGLE_TENANT,
    }


def password_document(secret: ClientSecret, clear: str | None) -> dict[str, object]:
    """Return Graph's `passwordCredential`; the clear text is there only in the answer that creates it."""
    return {
        "keyId": str(secret.key_id),
        "displayName": secret.display_name,
        "hint": secret.hint,
        "secretText": clear,
        "startDateTime": _text(secret.created),
        "endDateTime": _text(secret.expires),
        "customKeyIdentifier": None,
    }


def _key_document(certificate: ClientCertificate) -> dict[str, object]:
    """Return Graph's `keyCredential`; `customKeyIdentifier` is the SHA-1 thumbprint."""
    return {
        "keyId": str(certificate.key_id),
        "displayName": certificate.display_name,
        "type": _CERTIFICATE,
        "usage": _VERIFY,
        "key": None,
        "customKeyIdentifier": base64.b64encode(loaded_certificate(certificate.certificate_pem).sha1).decode("ascii"),
        "startDateTime": _text(certificate.starts),
        "endDateTime": _text(certificate.expires),
    }


def collection_document(origin: str, name: str, items: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return a collection with its context URL."""
    return {"@odata.context": f"{origin}/v1.0/$metadata#{name}", "value": list(items)}


def entity_document(origin: str, context: str, item: Mapping[str, object]) -> dict[str, object]:
    """Return one resource with its context URL."""
    return {"@odata.context": f"{origin}/v1.0/$metadata#{context}"} | dict(item)


def _object(request: Request) -> dict[str, object]:
    if len(request.body) > LARGEST_BODY:
        raise _bad(f"The request body is larger than {LARGEST_BODY} bytes.")
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise _bad("Write requests must carry the content type application/json.")
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise _bad("Unable to read JSON request payload.") from error
    if not isinstance(body, dict):
        raise _bad("The request payload must be a JSON object.")
    if _ESCAPED_NULL(request.body):
        raise _bad("A text holds the character U+0000.")
    return body


def _refuse_unknown(body: Mapping[str, object], known: Collection[str]) -> None:
    unknown = [name for name in body if name not in known and not name.startswith("@odata.")]
    if unknown:
        raise _bad(f"Property '{unknown[0][:100]}' is not supported in this simulator.")


def _keys(value: object) -> tuple[NewKey, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_KEYS or not all(isinstance(item, dict) for item in value):
        raise _bad(f"Property 'keyCredentials' must be a list of up to {_MOST_KEYS} objects.")
    return tuple(_key(item) for item in value)


def _key(item: Mapping[str, object]) -> NewKey:
    _refuse_unknown(item, _KEY_PROPERTIES)
    for member, only in (("type", _CERTIFICATE), ("usage", _VERIFY)):
        if item.get(member, only) != only:
            raise _bad(f"Property '{member}' of 'keyCredentials' must be '{only}'.")
    name = item.get("displayName")
    if not isinstance(name, str | None) or len(name or "") > _LONGEST_NAME:
        raise _bad(f"Property 'displayName' must be a text of up to {_LONGEST_NAME} characters.")
    key, key_id = item.get("key"), item.get("keyId")
    if not isinstance(key, str | None):
        raise _bad("Property 'key' of 'keyCredentials' must be a certificate in base64.")
    return NewKey(
        key_id=None if key_id is None else identifier(key_id, "keyId"),
        der=None if key is None else _certificate_bytes(key),
        display_name=name,
        expires=_moment(item.get("endDateTime")),
    )


def _certificate_bytes(key: str) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("Property 'key' of 'keyCredentials' must be a certificate in base64.") from error


def _redirect_uris(body: Mapping[str, object], name: str) -> tuple[str, ...]:
    part = body.get(name)
    if part is None:
        return ()
    if not isinstance(part, dict):
        raise _bad(f"Property '{name}' must be an object.")
    _refuse_unknown(part, {"redirectUris"})
    uris = part.get("redirectUris", [])
    if not isinstance(uris, list) or not all(_is_redirect_uri(uri) for uri in uris):
        raise _bad(f"Property '{name}.redirectUris' must be a list of absolute URIs without fragment.")
    return tuple(dict.fromkeys(uris))


def _is_redirect_uri(uri: object) -> bool:
    if not isinstance(uri, str) or len(uri) > _LONGEST_NAME or not uri.isprintable() or "#" in uri or " " in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def _moment(value: object) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise _bad("Property 'endDateTime' must be a date and time such as 2030-01-01T00:00:00Z.") from error


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bad(message: str) -> GraphError:
    return GraphError(GraphCode.BAD_REQUEST, message)
