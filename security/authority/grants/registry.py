"""The registry of grants: `grant_type` → what handles it, and the names Entra knows that have no handler here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from security.authority.authority import Authority
from security.authority.errors import GrantNotAvailableError, MissingParameterError, UnsupportedGrantTypeError
from security.authority.grants.authorization_code import grant_authorization_code
from security.authority.grants.client_credentials import grant_client_credentials
from security.authority.grants.password import grant_password
from security.authority.grants.refresh_token import grant_refresh_token
from security.authority.grants.token_request import GrantedToken, TokenRequest

Grant = Callable[[Authority, TokenRequest], GrantedToken]

GRANTS: Final[Mapping[str, Grant]] = MappingProxyType(
    {
        "authorization_code": grant_authorization_code,
        "client_credentials": grant_client_credentials,
        "password": grant_password,
        "refresh_token": grant_refresh_token,
    }
)

NOT_AVAILABLE: Final = frozenset(
    {
        "device_code",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml1_1-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    }
)


def grant_for(grant_type: str) -> Grant:
    """Return what handles a grant type.

    Raises:
        MissingParameterError: it is empty.
        GrantNotAvailableError: Entra has it, this authority does not.
        UnsupportedGrantTypeError: nobody has it.
    """
    if not grant_type:
        raise MissingParameterError(parameter="grant_type")
    grant = GRANTS.get(grant_type)
    if grant is not None:
        return grant
    if grant_type in NOT_AVAILABLE:
        raise GrantNotAvailableError(grant_type=grant_type, available=", ".join(GRANTS))
    raise UnsupportedGrantTypeError(grant_type=grant_type)
