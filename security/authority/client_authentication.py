"""Who asks for a token: the client's id and secret, in the form or as HTTP Basic, checked against its registration."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus
from uuid import UUID

from security.authority.authority import Authority
from security.authority.client_secrets import SecretVerdict, check_secret
from security.authority.errors import (
    CredentialNotAvailableError,
    ExpiredClientSecretError,
    InvalidClientSecretError,
    MalformedRequestError,
    MissingClientSecretError,
    MissingParameterError,
    PublicClientError,
    UnknownApplicationError,
)
from security.authority.model import AppRegistration


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a client sent to identify itself."""

    client_id: str
    secret: str | None
    has_assertion: bool


def presented_credentials(form: Mapping[str, str], authorization: str) -> PresentedCredentials:
    """Read the client's id and secret from the form, or from an `Authorization: Basic` header (RFC 6749 §2.3.1).

    Raises:
        MalformedRequestError: the header is not readable, or both ways are used and disagree.
        MissingParameterError: no client id.
    """
    client_id, secret = form.get("client_id", ""), form.get("client_secret") or None
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        if secret is not None:
            raise MalformedRequestError(detail="Client credentials are given in the header and in the body.")
        basic_id, secret = _basic(encoded)
        if client_id and client_id != basic_id:
            raise MalformedRequestError(detail="The client ids in the header and in the body differ.")
        client_id = basic_id
    if not client_id:
        raise MissingParameterError(parameter="client_id")
    return PresentedCredentials(client_id, secret, bool(form.get("client_assertion")))


def authenticate_confidential_client(authority: Authority, presented: PresentedCredentials) -> AppRegistration:
    """Return the registration of a confidential client that has proved who it is.

    The registration is read from the store each time: one that was deleted gets no more tokens.

    Raises:
        UnknownApplicationError: no such application.
        PublicClientError: a public client sent a secret.
        MissingClientSecretError: no secret.
        InvalidClientSecretError: none of the application's secrets.
        ExpiredClientSecretError: an expired one.
        CredentialNotAvailableError: a signed assertion instead of a secret.
    """
    application = _application(authority, presented.client_id)
    if presented.has_assertion and presented.secret is None:
        raise CredentialNotAvailableError
    if presented.secret is None:
        raise MissingClientSecretError
    if application.is_public:
        raise PublicClientError
    match check_secret(presented.secret, application.secrets, now=authority.sources.clock()):
        case SecretVerdict.VALID:
            return application
        case SecretVerdict.EXPIRED:
            raise ExpiredClientSecretError(application=application.client_id)
        case SecretVerdict.WRONG:
            raise InvalidClientSecretError(application=application.client_id)


def _application(authority: Authority, client_id: str) -> AppRegistration:
    try:
        application = authority.registrations.get(UUID(client_id))
    except ValueError:
        application = None
    if application is None:
        raise UnknownApplicationError(application=client_id, tenant=authority.tenant.display_name)
    return application


def _basic(encoded: str) -> tuple[str, str | None]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise MalformedRequestError(detail="The Authorization header is not readable.") from error
    client_id, separator, secret = text.partition(":")
    if not separator:
        raise MalformedRequestError(detail="The Authorization header holds no client id and secret.")
    return unquote_plus(client_id), unquote_plus(secret) or None
