"""What the authority knows survives a restart, is seen by every process at once, and holds no clear secret."""

import stat
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest

from odata_server.engine.authority_store import migrate, open_authority_database
from odata_server.engine.database import single
from security.authority.authority import (
    add_client_secret,
    ensure_registrations,
    open_authority,
)
from security.authority.built_in import (
    ADAPTER_CLIENT_ID,
    ADMIN_CLIENT_ID,
    PUBLIC_CLIENT_ID,
    built_in_registrations,
)
from security.authority.client_secrets import SecretVerdict, check_secret, hashed_secret, random_secret
from security.authority.model import (
    AppRegistration,
    AuthorizationCode,
    ClientCertificate,
    RefreshToken,
    Tenant,
    User,
)
from security.authority.stores import RegistrationExistsError, RegistrationNotFoundError

TENANT_ID = UUID("11111111-2222-4333-8444-555555555555")
START = 1_800_000_000.0


def registration(number: int) -> AppRegistration:
    return AppRegistration(
        client_id=UUID(int=number),
        object_id=UUID(int=number + 1000),
        registration_id=UUID(int=number + 2000),
        display_name="Zoë's job; DROP TABLE registrations --",
        secrets=(),
        redirect_uris=("https://b.test/cb", "https://a.test/cb"),
        is_public=False,
        app_roles=("Application.ReadWrite.All",),
        created=START + number,
    )


def test_built_in_registrations_have_their_documented_ids(house):
    assert {each.client_id: each.is_public for each in house.database.registrations.list_all()} == {
        ADMIN_CLIENT_ID: False,
        ADAPTER_CLIENT_ID: False,
        PUBLIC_CLIENT_ID: True,
    }
    adapter = house.database.registrations.get(UUID("3a225c96-d62a-44ce-b3ec-bd4e8e9befef"))
    assert adapter.display_name == "Dynamics 365 Human Resources LinkedIn Adapter App"
    assert UUID("51f81489-12ee-4a9e-aaae-a2591f45987d") == PUBLIC_CLIENT_ID
    assert house.secrets.keys() == {ADMIN_CLIENT_ID, ADAPTER_CLIENT_ID}


def test_secrets_and_keys_survive_reopening(own_house, reopen):
    token = own_house.access_token()
    own_house.database.close()
    with reopen(own_house) as again:
        assert again.secrets == {}
        response = again.token(client_secret=own_house.secrets[ADMIN_CLIENT_ID])
        assert response.status_code == 200
        claims = again.authority.validator.validate(
            token, audiences=frozenset({"https://localhost:8443"}), now=again.clock.now
        )
        assert claims.app_id == ADMIN_CLIENT_ID


def test_no_clear_secret_is_in_the_file(own_house):
    own_house.token()
    own_house.database.close()
    stored = b"".join(path.read_bytes() for path in own_house.path.parent.iterdir())
    assert b"$argon2id$" in stored
    for clear in own_house.secrets.values():
        assert clear.encode() not in stored


def test_the_file_is_for_its_owner_alone(own_house):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in own_house.path.parent.iterdir()}
    assert modes == {0o600}


def test_a_registration_deleted_by_another_process_gets_no_more_tokens(own_house, reopen):
    assert own_house.token().status_code == 200
    with reopen(own_house) as other:
        assert other.database.registrations.delete(ADMIN_CLIENT_ID)
    assert own_house.token().json["error_codes"] == [700016]


def test_a_deleted_built_in_registration_comes_back_with_another_secret(own_house):
    wanted = built_in_registrations(TENANT_ID)
    own_house.database.registrations.delete(ADAPTER_CLIENT_ID)
    secrets = ensure_registrations(own_house.authority, wanted)
    assert secrets.keys() == {ADAPTER_CLIENT_ID}
    assert secrets[ADAPTER_CLIENT_ID] != own_house.secrets[ADAPTER_CLIENT_ID]
    assert ensure_registrations(own_house.authority, wanted) == {}


def test_a_registration_comes_back_as_it_was_stored(database):
    secret = hashed_secret("abc-secret", key_id=UUID(int=7), created=START, expires=START + 1, display_name="é")
    stored = replace(registration(1), secrets=(secret,))
    database.registrations.add(stored)
    database.registrations.add(registration(2))
    assert database.registrations.get(stored.client_id) == stored
    assert database.registrations.list_all() == (stored, registration(2))
    assert database.registrations.get(UUID(int=3)) is None


@pytest.mark.parametrize("shared", ["client_id", "object_id", "registration_id"])
def test_ids_are_unique_and_a_refused_registration_leaves_nothing(database, shared):
    database.registrations.add(registration(1))
    second = replace(registration(2), **{shared: getattr(registration(1), shared)})
    with pytest.raises(RegistrationExistsError):
        database.registrations.add(second)
    assert database.registrations.list_all() == (registration(1),)


def test_a_registration_with_a_taken_secret_id_is_not_stored_by_halves(database):
    secret = hashed_secret("abc-secret", key_id=UUID(int=7), created=START, expires=START + 1)
    database.registrations.add(replace(registration(1), secrets=(secret,)))
    with pytest.raises(RegistrationExistsError):
        database.registrations.add(replace(registration(2), secrets=(secret,)))
    assert database.registrations.get(registration(2).client_id) is None


def certificate(number: int) -> ClientCertificate:
    return ClientCertificate(UUID(int=number), "-----BEGIN", START + number, START + 99, f"é {number}")


def test_certificates_and_secrets_come_back_together(database):
    secrets = tuple(
        hashed_secret("abc-secret", key_id=UUID(int=number), created=START + number, expires=START + 9)
        for number in (7, 8)
    )
    stored = replace(registration(1), secrets=secrets, certificates=(certificate(1), certificate(2)))
    database.registrations.add(stored)
    database.registrations.add(registration(2))
    assert database.registrations.get(stored.client_id) == stored
    assert database.registrations.list_all() == (stored, registration(2))
    database.registrations.replace_certificates(stored.client_id, (certificate(2), certificate(3)))
    changed = replace(stored, certificates=(certificate(2), certificate(3)))
    assert database.registrations.get(stored.client_id) == changed
    with pytest.raises(RegistrationExistsError):
        database.registrations.replace_certificates(UUID(int=2), (certificate(3),))
    with pytest.raises(RegistrationNotFoundError):
        database.registrations.replace_certificates(UUID(int=3), ())
    assert database.registrations.list_all() == (changed, registration(2))
    assert database.registrations.delete(stored.client_id)
    database.registrations.replace_certificates(UUID(int=2), (certificate(3),))


def test_people_are_found_and_their_failures_counted(database):
    rita = User(UUID(int=1), "Rita@contoso.test", "Rita Söder", "a hash")
    assert database.users.add(rita)
    assert not database.users.add(replace(rita, object_id=UUID(int=2), principal_name="RITA@contoso.test"))
    assert not database.users.add(replace(rita, principal_name="other@contoso.test"))
    assert database.users.by_name("rita@CONTOSO.test") == database.users.get(rita.object_id) == rita
    assert database.users.get(UUID(int=2)) is database.users.by_name("nobody@contoso.test") is None
    for _ in range(2):
        database.users.count_failure(rita.object_id, lock_after=3, locked_until=START)
    assert database.users.get(rita.object_id) == replace(rita, failures=2)
    database.users.count_failure(rita.object_id, lock_after=3, locked_until=START)
    assert database.users.get(rita.object_id) == replace(rita, locked_until=START)
    database.users.count_failure(rita.object_id, lock_after=3, locked_until=START + 9)
    database.users.forget_failures(rita.object_id)
    assert database.users.get(rita.object_id) == replace(rita, locked_until=START)


def test_a_refresh_token_is_rotated_once_and_its_family_revoked(database):
    database.users.add(User(UUID(int=1), "rita@contoso.test", "Rita", "a hash"))
    database.registrations.add(registration(1))
    first = RefreshToken("first", UUID(int=7), UUID(int=1), UUID(int=1), "a b", START)
    second, third = replace(first, digest="second"), replace(first, digest="third")
    other = replace(first, digest="other", family=UUID(int=8))
    for token in (first, other):
        database.grants.add_refresh_token(token, now=START)
    assert database.grants.rotate("first", second)
    assert not database.grants.rotate("first", third)
    assert not database.grants.rotate("unknown", third)
    assert database.grants.refresh_token("first") == replace(first, is_used=True)
    assert database.grants.refresh_token("second") == second
    assert database.grants.refresh_token("third") is None
    database.grants.revoke_family(first.family)
    found = [database.grants.refresh_token(token.digest) for token in (first, second, other)]
    assert found == [None, None, other]
    database.grants.add_refresh_token(second, now=START + 30 * 86_400)
    assert database.grants.refresh_token("other") is None
    database.registrations.delete(UUID(int=1))
    assert database.grants.refresh_token("second") is None


def test_a_code_is_used_once(database):
    database.users.add(User(UUID(int=1), "rita@contoso.test", "Rita", "a hash"))
    database.registrations.add(registration(1))
    ids = {"family": UUID(int=7), "client_id": UUID(int=1), "user_id": UUID(int=1)}
    bare = AuthorizationCode("a", **ids, redirect_uri="x:y", scope="a b", nonce=None, challenge=None, expires=START)
    full = replace(bare, digest="b", nonce="é", challenge="S256:x")
    for code in (bare, full):
        database.grants.add_code(code, now=START)
        assert database.grants.code(code.digest) == code
    assert [database.grants.use_code("b") for _ in range(2)] == [True, False]
    assert database.grants.code("b") == replace(full, is_used=True)
    assert not database.grants.use_code("c")
    database.grants.add_code(replace(bare, digest="d"), now=START + 30 * 86_400)
    assert database.grants.code("a") is None


def test_a_database_of_the_first_release_gets_what_it_lacks(begin_session):
    session = begin_session()
    first = SimpleNamespace(
        dialect=session.dialect,
        place=session.place,
        migrations=session.migrations[:1],
        create=session.create,
        read=session.read,
        write=session.write,
    )
    migrate(first)
    with session.write() as connection:
        connection.execute("INSERT INTO registrations VALUES ($1, $2, $3, 'Old', 0, '[]', '[]', 5)", tuple("123"))
        assert single(connection, "SELECT version FROM schema_version") == 1
    opened = open_authority_database(session)
    with session.read() as connection:
        assert single(connection, "SELECT version FROM schema_version") == 4
        assert single(connection, "SELECT count(*) FROM client_certificates") == 0
        assert single(connection, "SELECT display_name FROM registrations") == "Old"
    opened.close()


def test_deleting_takes_the_secrets_along(database):
    secret = hashed_secret("abc-secret", key_id=UUID(int=7), created=START, expires=START + 1)
    database.registrations.add(replace(registration(1), secrets=(secret,)))
    assert database.registrations.delete(UUID(int=1))
    assert not database.registrations.delete(UUID(int=1))
    database.registrations.add(registration(1))
    assert database.registrations.get(UUID(int=1)).secrets == ()


def test_a_secret_needs_its_registration(own_house):
    clear, secret = add_client_secret(own_house.authority, ADAPTER_CLIENT_ID, display_name="second")
    stored = own_house.database.registrations.get(ADAPTER_CLIENT_ID).secrets
    assert secret in stored
    assert check_secret(clear, stored, now=START) is SecretVerdict.VALID
    with pytest.raises(RegistrationNotFoundError, match=str(UUID(int=99))):
        add_client_secret(own_house.authority, UUID(int=99))


@pytest.mark.parametrize(
    ("presented", "now", "verdict"),
    [
        ("abc-right", START, SecretVerdict.VALID),
        ("abc-right", START + 9.9, SecretVerdict.VALID),
        ("abc-right", START + 10, SecretVerdict.EXPIRED),
        ("abc-wrong", START, SecretVerdict.WRONG),
        ("xyz-right", START, SecretVerdict.WRONG),
        ("", START, SecretVerdict.WRONG),
    ],
)
def test_a_secret_is_valid_expired_or_wrong(presented, now, verdict):
    stored = [hashed_secret("abc-right", key_id=UUID(int=1), created=START, expires=START + 10)]
    assert check_secret(presented, stored, now=now) is verdict


def test_an_unreadable_hash_matches_nothing():
    stored = [replace(hashed_secret("abc", key_id=UUID(int=1), created=START, expires=START + 9), hash="abc")]
    assert check_secret("abc", stored, now=START) is SecretVerdict.WRONG


def test_random_secrets_are_long_and_differ():
    assert len({random_secret() for _ in range(50)}) == 50
    assert len(random_secret()) == 40


def test_tenants_are_found_by_id_and_by_domain(database):
    tenant = Tenant(TENANT_ID, "Contoso", "contoso.onmicrosoft.com")
    assert database.tenants.add(tenant)
    assert not database.tenants.add(replace(tenant, display_name="Again"))
    assert database.tenants.get(TENANT_ID) == tenant
    assert database.tenants.by_domain("CONTOSO.onmicrosoft.com") == tenant
    assert database.tenants.by_domain("fabrikam.test") is None
    assert database.tenants.list_all() == (tenant,)


def test_a_domain_belongs_to_one_tenant(own_house):
    other = Tenant(UUID(int=5), "Fabrikam", "contoso.onmicrosoft.com")
    with pytest.raises(ValueError, match="belongs to another tenant"):
        open_authority(
            other,
            own_house.database.stores,
            sources=own_house.sources,
            hosts=frozenset({"localhost"}),
        )
