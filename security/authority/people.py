"""People: their passwords, and the lock that many wrong ones close (Learn: Microsoft Entra smart lockout)."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from security.authority.authority import Authority
from security.authority.client_secrets import MAXIMUM_LENGTH, hashed, matches
from security.authority.model import User
from security.authority.sign_in_errors import DisabledUserError, LockedUserError, UnknownUserError, WrongPasswordError

LOCK_AFTER: Final = 10
LOCK_SECONDS: Final = 60.0
"""Entra's defaults: ten wrong passwords lock an account for a minute."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person who can sign in, with the password in clear."""

    object_id: UUID
    principal_name: str
    display_name: str
    password: str


def ensure_user(authority: Authority, wanted: NewUser) -> None:
    """Store a user who is not there yet; one who is there keeps the password."""
    if authority.users.get(wanted.object_id) is None:
        user = User(wanted.object_id, wanted.principal_name, wanted.display_name, hashed(wanted.password))
        authority.users.add(user)


def sign_in(authority: Authority, name: str, password: str) -> User:
    """Return the user with this name and password.

    Raises:
        UnknownUserError: nobody has the name.
        LockedUserError: there were too many wrong passwords just now.
        WrongPasswordError: the password is another one.
        DisabledUserError: the password is right, but the user may not sign in.
    """
    user = authority.users.by_name(name)
    if user is None:
        raise UnknownUserError(user=name, tenant=authority.tenant.display_name)
    now = authority.sources.clock()
    if now < user.locked_until:
        raise LockedUserError
    if len(password) > MAXIMUM_LENGTH or not matches(password, user.password_hash):
        authority.users.count_failure(user.object_id, lock_after=LOCK_AFTER, locked_until=now + LOCK_SECONDS)
        raise WrongPasswordError
    if user.failures:
        authority.users.forget_failures(user.object_id)
    if not user.is_enabled:
        raise DisabledUserError
    return user
