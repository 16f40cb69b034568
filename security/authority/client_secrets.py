"""Client secrets: making them, hashing them with Argon2 and telling a right one from an expired or a wrong one."""

import secrets
from collections.abc import Sequence
from enum import Enum
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from security.authority.model import ClientSecret

HINT_LENGTH: Final = 3
MAXIMUM_LENGTH: Final = 512
SECONDS_PER_YEAR: Final = 31_556_952.0
DEFAULT_LIFETIME: Final = 2 * SECONDS_PER_YEAR
"""Microsoft Graph's default for `addPassword` is two years."""

# A generated secret has 240 random bits, so the cost only has to make a stolen file dull work: about 15 ms each.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=12_288, parallelism=1)


class SecretVerdict(Enum):
    """What comes of comparing a presented secret with those an application has."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG = "wrong"


def random_secret() -> str:
    """Return a new clear secret of 40 URL-safe characters."""
    return secrets.token_urlsafe(30)


def hashed_secret(
    clear: str, *, key_id: UUID, created: float, expires: float, display_name: str | None = None
) -> ClientSecret:
    """Return the stored form of a clear secret."""
    return ClientSecret(
        key_id=key_id,
        hash=hashed(clear),
        hint=clear[:HINT_LENGTH],
        created=created,
        expires=expires,
        display_name=display_name,
    )


def check_secret(presented: str, stored: Sequence[ClientSecret], *, now: float) -> SecretVerdict:
    """Compare a presented secret with the stored ones; any valid match wins over an expired one."""
    if len(presented) > MAXIMUM_LENGTH:
        return SecretVerdict.WRONG
    verdict = SecretVerdict.WRONG
    for secret in stored:
        # The hint is public, so it may rule a secret out before the costly comparison.
        if not presented.startswith(secret.hint) or not matches(presented, secret.hash):
            continue
        if now < secret.expires:
            return SecretVerdict.VALID
        verdict = SecretVerdict.EXPIRED
    return verdict


def hashed(clear: str) -> str:
    """Return the Argon2id hash of a secret or password."""
    return _HASHER.hash(clear)


def matches(presented: str, stored_hash: str) -> bool:
    """Tell whether a hash is that of a text."""
    try:
        return _HASHER.verify(stored_hash, presented)
    except (VerificationError, InvalidHashError):
        return False
