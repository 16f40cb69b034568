"""Keys and versions of what the authority stores: seen by every session, and agreed on by those who start together."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from odata_server.engine.authority_store import NewerAuthorityStoreError, open_authority_database
from odata_server.engine.sqlite.authority import SqliteAuthority
from security.authority.authority import (
    ensure_registrations,
    open_authority,
)
from security.authority.built_in import (
    ADAPTER_CLIENT_ID,
    ADMIN_CLIENT_ID,
    built_in_registrations,
)
from security.authority.model import (
    Tenant,
)
from security.authority.signing_keys import KeyRing, new_signing_key

TENANT_ID = UUID("11111111-2222-4333-8444-555555555555")
START = 1_800_000_000.0


def test_only_the_first_key_is_stored_as_first(database, rsa_keys):
    first, second = (new_signing_key(key, now=START) for key in rsa_keys[:2])
    assert database.keys.add_first(first)
    assert not database.keys.add_first(second)
    database.keys.add(second)
    assert set(database.keys.keys()) == {first, second}
    assert database.keys.withdraw(second.kid)
    assert not database.keys.withdraw(second.kid)
    assert database.keys.keys() == (first,)


def look_for_changes(database, other, rsa_keys):
    ring = KeyRing(database.keys)
    assert ring.loaded().keys == ()
    key = new_signing_key(rsa_keys[0], now=START)
    other.keys.add(key)
    loaded = ring.loaded()
    assert loaded.keys == (key,)
    assert ring.loaded() is loaded
    other.keys.withdraw(key.kid)
    assert ring.loaded().keys == ()


def test_the_version_of_the_keys_changes_with_them(database, rsa_keys):
    look_for_changes(database, database, rsa_keys)


def test_the_version_of_the_keys_changes_when_another_process_changes_them(database, begin_session, rsa_keys):
    other = open_authority_database(begin_session())
    look_for_changes(database, other, rsa_keys)
    other.close()


def test_an_authority_in_memory_sees_its_own_changes(rsa_keys):
    database = open_authority_database(SqliteAuthority(None))
    look_for_changes(database, database, rsa_keys)
    database.close()


def test_what_fails_leaves_the_version_alone(begin_session):
    session = begin_session()
    open_authority_database(session)
    before = session.version()
    with pytest.raises(session.dialect.constraint_errors), session.write() as connection:
        connection.execute("INSERT INTO signing_keys VALUES ('a', 'b', 'c', 1, 1), ('a', 'b', 'c', 1, 1)")
    assert session.version() == before
    session.close()


def test_a_database_of_a_newer_release_is_refused(begin_session):
    session = begin_session()
    open_authority_database(session)
    with session.write() as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    session.close()
    with pytest.raises(NewerAuthorityStoreError, match="schema version 99, this release knows versions up to 4"):
        open_authority_database(begin_session())


def test_those_who_start_together_agree_on_keys_and_secrets(begin_session, new_sources):
    start = threading.Barrier(6)

    def open_all(_number):
        start.wait()
        database = open_authority_database(begin_session())
        authority = open_authority(
            Tenant(TENANT_ID, "Contoso", "contoso.onmicrosoft.com"),
            database.stores,
            sources=new_sources(),
            hosts=frozenset({"localhost"}),
        )
        secrets = ensure_registrations(authority, built_in_registrations(TENANT_ID))
        keys = database.keys.keys()
        database.close()
        return secrets, keys

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(open_all, range(6)))
    assert len({keys for _, keys in results}) == 1
    owners = [client_id for secrets, _ in results for client_id in secrets]
    assert sorted(owners) == sorted([ADMIN_CLIENT_ID, ADAPTER_CLIENT_ID])


def test_a_file_may_be_opened_for_the_first_time_by_many_at_once(tmp_path):
    def open_and_close(path):
        open_authority_database(SqliteAuthority(path)).close()

    paths = [tmp_path / f"{number // 8}.db" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_close, paths))
