"""The authority's stores of people and of what they have granted: users with hashed passwords, refresh tokens."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from odata_server.engine.authority_session import AuthoritySession
from odata_server.engine.database import Connection, SqlRow
from security.authority.model import AuthorizationCode, RefreshToken, User

_KEPT_AFTER_EXPIRY: Final = 7 * 86_400.0
"""Seconds for which an expired token is told from an unknown one."""
_USERS: Final = """
    SELECT object_id, principal_name, display_name, password_hash, is_enabled, failures, locked_until FROM users
"""


class StoredUsers:
    """Implements `security.authority.stores.UserStore`."""

    def __init__(self, session: AuthoritySession) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def get(self, object_id: UUID) -> User | None:
        """Return one user as it is stored now."""
        with self._session.read() as connection:
            return _user(connection.execute(f"{_USERS} WHERE object_id = $1", (str(object_id),)).fetchone())

    def by_name(self, principal_name: str) -> User | None:
        """Return the user with this name; the case of ASCII letters means nothing."""
        with self._session.read() as connection:
            found = connection.execute(f"{_USERS} WHERE lower(principal_name) = lower($1)", (principal_name,))
            return _user(found.fetchone())

    def add(self, user: User) -> bool:
        """Store a user unless the id or name is there."""
        with self._session.write() as connection:
            added = connection.execute(
                "INSERT INTO users (object_id, principal_name, display_name, password_hash, is_enabled, failures,"
                " locked_until) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING object_id",
                (
                    str(user.object_id),
                    user.principal_name,
                    user.display_name,
                    user.password_hash,
                    int(user.is_enabled),
                    user.failures,
                    user.locked_until,
                ),
            )
            return bool(added.fetchall())

    def count_failure(self, object_id: UUID, *, lock_after: int, locked_until: float) -> None:
        """Count in one statement, so that those who try at the same time are all counted."""
        with self._session.write() as connection:
            connection.execute(
                "UPDATE users SET locked_until = CASE WHEN failures + 1 >= $1 THEN $2 ELSE locked_until END,"
                " failures = CASE WHEN failures + 1 >= $1 THEN 0 ELSE failures + 1 END WHERE object_id = $3",
                (lock_after, locked_until, str(object_id)),
            )

    def forget_failures(self, object_id: UUID) -> None:
        """Begin to count again."""
        with self._session.write() as connection:
            connection.execute("UPDATE users SET failures = 0 WHERE object_id = $1", (str(object_id),))


class StoredGrants:
    """Implements `security.authority.stores.GrantStore`."""

    def __init__(self, session: AuthoritySession) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def add_refresh_token(self, token: RefreshToken, *, now: float) -> None:
        """Store a refresh token; those that have expired are forgotten."""
        with self._session.write() as connection:
            connection.execute("DELETE FROM refresh_tokens WHERE expires < $1", (now - _KEPT_AFTER_EXPIRY,))
            _insert_token(connection, token)

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """Return the refresh token with this digest."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT digest, family, client_id, user_id, scope, expires, is_used FROM refresh_tokens"
                " WHERE digest = $1",
                (digest,),
            ).fetchone()
        return None if row is None else _refresh_token(row)

    def rotate(self, digest: str, successor: RefreshToken) -> bool:
        """Mark a token as used and store its successor, both or neither; of two who try, one wins."""
        with self._session.write() as connection:
            marked = connection.execute(
                "UPDATE refresh_tokens SET is_used = 1 WHERE digest = $1 AND is_used = 0 RETURNING digest", (digest,)
            )
            if not marked.fetchall():
                return False
            _insert_token(connection, successor)
            return True

    def add_code(self, code: AuthorizationCode, *, now: float) -> None:
        """Store an authorization code; those that expired long ago are forgotten."""
        with self._session.write() as connection:
            connection.execute("DELETE FROM authorization_codes WHERE expires < $1", (now - _KEPT_AFTER_EXPIRY,))
            connection.execute(
                "INSERT INTO authorization_codes (digest, family, client_id, user_id, redirect_uri, scope, nonce,"
                " challenge, expires, is_used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                (
                    code.digest,
                    str(code.family),
                    str(code.client_id),
                    str(code.user_id),
                    code.redirect_uri,
                    code.scope,
                    code.nonce,
                    code.challenge,
                    code.expires,
                    int(code.is_used),
                ),
            )

    def code(self, digest: str) -> AuthorizationCode | None:
        """Return the authorization code with this digest."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT digest, family, client_id, user_id, redirect_uri, scope, nonce, challenge, expires, is_used"
                " FROM authorization_codes WHERE digest = $1",
                (digest,),
            ).fetchone()
        return None if row is None else _code(row)

    def use_code(self, digest: str) -> bool:
        """Mark a code as used; of two who try, one wins."""
        with self._session.write() as connection:
            marked = connection.execute(
                "UPDATE authorization_codes SET is_used = 1 WHERE digest = $1 AND is_used = 0 RETURNING digest",
                (digest,),
            )
            return bool(marked.fetchall())

    def revoke_family(self, family: UUID) -> None:
        """Forget every token of a sign-in."""
        with self._session.write() as connection:
            connection.execute("DELETE FROM refresh_tokens WHERE family = $1", (str(family),))


def _insert_token(connection: Connection, token: RefreshToken) -> None:
    connection.execute(
        "INSERT INTO refresh_tokens (digest, family, client_id, user_id, scope, expires, is_used)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        (
            token.digest,
            str(token.family),
            str(token.client_id),
            str(token.user_id),
            token.scope,
            token.expires,
            int(token.is_used),
        ),
    )


def _user(row: SqlRow | None) -> User | None:
    if row is None:
        return None
    object_id, principal_name, display_name, password_hash, is_enabled, failures, locked_until = row
    return User(
        object_id=UUID(str(object_id)),
        principal_name=str(principal_name),
        display_name=str(display_name),
        password_hash=str(password_hash),
        is_enabled=bool(is_enabled),
        failures=int(str(failures)),
        locked_until=float(str(locked_until)),
    )


def _refresh_token(row: SqlRow) -> RefreshToken:
    digest, family, client_id, user_id, scope, expires, is_used = row
    return RefreshToken(
        digest=str(digest),
        family=UUID(str(family)),
        client_id=UUID(str(client_id)),
        user_id=UUID(str(user_id)),
        scope=str(scope),
        expires=float(str(expires)),
        is_used=bool(is_used),
    )


def _code(row: SqlRow) -> AuthorizationCode:
    digest, family, client_id, user_id, redirect_uri, scope, nonce, challenge, expires, is_used = row
    return AuthorizationCode(
        digest=str(digest),
        family=UUID(str(family)),
        client_id=UUID(str(client_id)),
        user_id=UUID(str(user_id)),
        redirect_uri=str(redirect_uri),
        scope=str(scope),
        nonce=None if nonce is None else str(nonce),
        challenge=None if challenge is None else str(challenge),
        expires=float(str(expires)),
        is_used=bool(is_used),
    )
