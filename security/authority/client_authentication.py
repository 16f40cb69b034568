"""Who asks for a token: a client id with a secret or a signed assertion, checked against the registration."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus
from uuid import UUID

from security.authority.authority import Authority
from security.authority.client_assertions import check_client_assertion
from security.authority.client_secrets import SecretVerdict, check_secret
from security.authority.errors import (
    ExpiredClientSecretError,
    InvalidClientSecretError,
    MalformedRequestError,
    MissingClientSecretError,
    MissingParameterError,
    PublicClientError,
    UnknownApplicationError,
)
from security.authority.model import AppRegistration, ClientProof

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a client sent to identify itself."""

    client_id: str
    secret: str | None
    assertion: str | None


@dataclass(frozen=True, slots=True)
class ProvedClient:
    """A client that is who it says it is."""

    application: AppRegistration
    proof: ClientProof


def presented_credentials(form: Mapping[str, str], authorization: str) -> PresentedCredentials:
    """Read the client's id and credential from the form, or from an `Authorization: Basic` header.

    Sources: RFC 6749 §2.3.1, RFC 7521 §4.2.

    Raises:
        MalformedRequestError: the header is not readable, several ways are used, or the assertion is of another type.
        MissingParameterError: no client id, or no type of the assertion.
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
    assertion = _assertion(form)
    if secret is not None and assertion is not None:
        raise MalformedRequestError(detail="A client secret and a client assertion exclude each other.")
    return PresentedCredentials(client_id, secret, assertion)


def authenticate_client(authority: Authority, presented: PresentedCredentials, *, origin: str) -> ProvedClient:
    """Return the client that acts for a person: a public one has nothing to prove, a confidential one has.

    Raises:
        AuthorityError: what `authenticate_confidential_client` raises.
    """
    application = _application(authority, presented.client_id)
    if application.is_public and presented.secret is None and presented.assertion is None:
        return ProvedClient(application, ClientProof.NOTHING)
    return authenticate_confidential_client(authority, presented, origin=origin)


def authenticate_confidential_client(
    authority: Authority, presented: PresentedCredentials, *, origin: str
) -> ProvedClient:
    """Return a confidential client that has proved who it is; `origin` is scheme, host and port of the request.

    The registration is read from the store each time: one that was deleted gets no more tokens.

    Raises:
        UnknownApplicationError: no such application.
        PublicClientError: a public client sent a secret or an assertion.
        MissingClientSecretError: neither secret nor assertion.
        InvalidClientSecretError: none of the application's secrets.
        ExpiredClientSecretError: an expired one.
        AuthorityError: the assertion is not good (`check_client_assertion`).
    """
    application = _application(authority, presented.client_id)
    if presented.secret is None and presented.assertion is None:
        raise MissingClientSecretError
    if application.is_public:
        raise PublicClientError
    if presented.assertion is not None:
        check_client_assertion(authority, application, presented.assertion, origin=origin)
        return ProvedClient(application, ClientProof.CERTIFICATE)
    _check_secret(authority, application, presented.secret or "")
    return ProvedClient(application, ClientProof.SECRET)


def _check_secret(authority: Authority, application: AppRegistration, secret: str) -> None:
    match check_secret(secret, application.secrets, now=authority.sources.clock()):
        case SecretVerdict.VALID:
            return
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


def _assertion(form: Mapping[str, str]) -> str | None:
    assertion = form.get("client_assertion") or None
    if assertion is None:
        return None
    assertion_type = form.get("client_assertion_type", "")
    if not assertion_type:
        raise MissingParameterError(parameter="client_assertion_type")
    if assertion_type != ASSERTION_TYPE:
        raise MalformedRequestError(detail=f"The parameter 'client_assertion_type' must be '{ASSERTION_TYPE}'.")
    return assertion


def _basic(encoded: str) -> tuple[str, str | None]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise MalformedRequestError(detail="The Authorization header is not readable.") from error
    client_id, separator, secret = text.partition(":")
    if not separator:
        raise MalformedRequestError(detail="The Authorization header holds no client id and secret.")
    return unquote_plus(client_id), unquote_plus(secret) or None
