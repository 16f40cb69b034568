"""The refusals of the authority, one class per AADSTS code, and the JSON document Entra answers them with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import ClassVar, Final
from uuid import UUID

_LONGEST_ECHO: Final = 200


class AuthorityError(Exception):
    """A refusal: its AADSTS code, OAuth 2.0 `error` (RFC 6749 §5.2), HTTP status and text.

    `text` is a template; the keyword arguments fill it. Parts of the request are echoed shortened.
    """

    code: ClassVar[int]
    error: ClassVar[str]
    status: ClassVar[HTTPStatus]
    text: ClassVar[str]

    def __init__(self, **values: object) -> None:
        """Fill the text of the class with the values its placeholders name."""
        super().__init__(self.text.format_map({name: str(value)[:_LONGEST_ECHO] for name, value in values.items()}))


class InvalidClientSecretError(AuthorityError):
    """The secret is none of the application's."""

    code = 7000215
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        "not the client secret ID, for a secret added to app '{application}'."
    )


class ExpiredClientSecretError(AuthorityError):
    """The secret was right once."""

    code = 7000222
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = (
        "The provided client secret keys for app '{application}' are expired. "
        "Add a new secret to the app registration and use that one."
    )


class MissingClientSecretError(AuthorityError):
    """A confidential client has to prove who it is."""

    code = 7000218
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."


class PublicClientError(AuthorityError):
    """A public client has no credentials, so it cannot act as itself."""

    code = 700025
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."


class UnknownApplicationError(AuthorityError):
    """No such app registration in the tenant."""

    code = 700016
    error = "unauthorized_client"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "Application with identifier '{application}' was not found in the directory '{tenant}'. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You may have sent your authentication request to the wrong tenant."
    )


class UnknownTenantError(AuthorityError):
    """The first segment of the URL is no tenant of this authority."""

    code = 90002
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant."
    )


class InvalidScopeError(AuthorityError):
    """Client credentials ask for everything that was granted: `<resource>/.default`."""

    code = 1002012
    error = "invalid_scope"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI)."
    )


class UnknownResourceError(AuthorityError):
    """The resource is none this server is or knows."""

    code = 500011
    error = "invalid_resource"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant."
    )


class MissingParameterError(AuthorityError):
    """A required parameter is absent or empty."""

    code = 900144
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = "The request body must contain the following parameter: '{parameter}'."


class MalformedRequestError(AuthorityError):
    """The request cannot be read as form parameters, each given once (RFC 6749 §3.2)."""

    code = 9002313
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = "Invalid request. Request is malformed or invalid. {detail}"


class SeveralResourcesError(AuthorityError):
    """A token opens one resource."""

    code = 28000
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "Provided value for the input parameter scope is not valid because it contains more than one resource. "
        "Scope {scope} is not valid."
    )


class UnknownScopeError(AuthorityError):
    """The resource has no such permission."""

    code = 70011
    error = "invalid_scope"
    status = HTTPStatus.BAD_REQUEST
    text = "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."


class UnsupportedGrantTypeError(AuthorityError):
    """No grant has this name."""

    code = 70003
    error = "unsupported_grant_type"
    status = HTTPStatus.BAD_REQUEST
    text = "The app requested an unsupported grant type '{grant_type}'."


class GrantNotAvailableError(AuthorityError):
    """Entra knows the grant, this authority does not have it."""

    code = 70003
    error = "unsupported_grant_type"
    status = HTTPStatus.NOT_IMPLEMENTED
    text = (
        "The grant type '{grant_type}' exists in Entra but is not available in this simulator. "
        "Use one of those that are: {available}."
    )


class MalformedAssertionError(AuthorityError):
    """The client assertion is no signed JSON Web Token, or lacks a claim."""

    code = 50027
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = "JWT token is invalid or malformed. {detail}"


class AssertionIssuerError(AuthorityError):
    """`iss` and `sub` of a client assertion are the client's id (RFC 7523 §3)."""

    code = 700021
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = (
        "Client assertion application identifier doesn't match 'client_id' parameter. Both 'iss' and 'sub' must be "
        "'{application}'."
    )


class AssertionAudienceError(AuthorityError):
    """The client assertion is meant for somebody else."""

    code = 700023
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = "Client assertion audience claim does not match Realm issuer. The audience must be '{endpoint}'."


class AssertionTimeError(AuthorityError):
    """The client assertion is used before or after its time, or would be valid for too long."""

    code = 700024
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = (
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {starts}, "
        "expiry time of assertion {expires}. {detail}"
    )


class AssertionSignatureError(AuthorityError):
    """The certificate that signed is none of the application's, is not valid now, or has not signed this."""

    code = 700027
    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    text = (
        "The certificate with identifier used to sign the client assertion is not registered on application, or the "
        "signature is invalid. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}'] Application: "
        "'{application}'."
    )


class CredentialNotAvailableError(AuthorityError):
    """Entra accepts assertions of other issuers (federated identity credentials), this authority does not."""

    code = 700211
    error = "invalid_client"
    status = HTTPStatus.NOT_IMPLEMENTED
    text = (
        "Federated identity credentials (client assertions of another issuer) exist in Entra but are not available in "
        "this simulator. Use a certificate or 'client_secret' instead."
    )


class MethodNotAllowedError(AuthorityError):
    """The endpoint exists, but not for this method."""

    code = 900561
    error = "invalid_request"
    status = HTTPStatus.METHOD_NOT_ALLOWED
    text = "The endpoint only accepts {allowed} requests. Received a {received} request."


class UnknownInstanceError(AuthorityError):
    """Instance discovery was asked about a host that is none of this server's names."""

    code = 50049
    error = "invalid_instance"
    status = HTTPStatus.BAD_REQUEST
    text = "Unknown or invalid instance '{instance}'."


@dataclass(frozen=True, slots=True)
class Trace:
    """What identifies one exchange in an error document: two ids and the time in seconds since 1970-01-01 UTC."""

    trace_id: UUID
    correlation_id: UUID
    now: float


def error_document(error: AuthorityError, trace: Trace) -> Mapping[str, object]:
    """Return Entra's JSON error document; clients show `error_description` and read `error_codes`."""
    timestamp = datetime.fromtimestamp(trace.now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return {
        "error": error.error,
        "error_description": (
            f"AADSTS{error.code}: {error} Trace ID: {trace.trace_id} "
            f"Correlation ID: {trace.correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [error.code],
        "timestamp": timestamp,
        "trace_id": str(trace.trace_id),
        "correlation_id": str(trace.correlation_id),
        "error_uri": f"https://login.microsoftonline.com/error?code={error.code}",
    }
