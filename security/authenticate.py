"""From the `Authorization` header to a principal: a valid token first, membership of the organization second.

Order of the checks: bearer present and valid (401), member and enabled (403), has roles (403).
"""

from __future__ import annotations

from typing import Protocol

from entities.errors import AccessDenied, AuthenticationFailed
from entities.values import Guid
from security.authority.validation import ExpiredToken, InvalidToken, TokenClaims
from security.principals import Principal

NO_ROLES = "0x80042f09"
DISABLED = "0x80040225"


class RequestNotAuthenticated(AuthenticationFailed):
    """The request brings no bearer token (RequestIsNotAuthenticated)."""

    family_code = "0x80044302"


class InvalidTicket(AuthenticationFailed):
    """The bearer token is no good here (InvalidAuthTicket)."""

    family_code = "0x8004a100"


class ExpiredTicket(AuthenticationFailed):
    """The bearer token was good once (ExpiredAuthTicket)."""

    family_code = "0x8004a101"


class Validator(Protocol):
    """What authentication needs of the token authority."""

    def validate(self, token: str, *, audiences: frozenset[str], now: float) -> TokenClaims:
        """Return the claims of a good token or raise InvalidToken."""
        ...


class Members(Protocol):
    """What authentication needs of an environment's directory."""

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        """Return the principal of an application or raise AccessDenied."""
        ...

    def user(self, object_id: Guid, upn: str | None) -> Principal:
        """Return the principal of a person or raise AccessDenied."""
        ...


def claims_of(authorization: str | None, validator: Validator, *, audiences: frozenset[str], now: float) -> TokenClaims:
    """Return who calls.

    Args:
        authorization: the header's value, None where it is absent.
        validator: the token authority's check.
        audiences: the URLs and ids by which tokens may name this environment.
        now: seconds since 1970-01-01 UTC.

    Raises:
        RequestNotAuthenticated: there is no bearer token.
        InvalidTicket: the token is malformed, forged or meant for another resource.
        ExpiredTicket: the token's time is over.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RequestNotAuthenticated("The request is not authenticated: it carries no bearer token.")
    try:
        return validator.validate(token, audiences=audiences, now=now)
    except ExpiredToken as error:
        raise ExpiredTicket(error.error_description) from error
    except InvalidToken as error:
        raise InvalidTicket(error.error_description) from error


def principal_of(claims: TokenClaims, members: Members) -> Principal:
    """Return the principal a token stands for: an application by its id, a person by object id or name.

    Raises:
        AccessDenied: no member (0x80072560), disabled (0x80040225), or without roles (0x80042f09).
    """
    if claims.is_app:
        principal = members.application_user(Guid(str(claims.app_id)), Guid(str(claims.object_id)))
    else:
        principal = members.user(Guid(str(claims.object_id)), claims.user_principal_name)
    user_id = principal.caller.user_id
    if principal.is_disabled:
        raise AccessDenied(
            f"The specified user(Id = {user_id}) is disabled. Consider enabling this user. Additional Details: ",
            code=DISABLED,
        )
    if principal.role_count == 0 and not principal.is_system:
        raise AccessDenied(
            f"The user with id {user_id} has not been assigned any roles. "
            "They need a role with the prvReadUser privilege.",
            code=NO_ROLES,
        )
    return principal


def authenticate(
    authorization: str | None, validator: Validator, members: Members, *, audiences: frozenset[str], now: float
) -> Principal:
    """Return the principal that the request's bearer token stands for.

    Raises:
        AuthenticationFailed: there is no good token (401).
        AccessDenied: the token is good, but its bearer may not enter (403).
    """
    return principal_of(claims_of(authorization, validator, audiences=audiences, now=now), members)
