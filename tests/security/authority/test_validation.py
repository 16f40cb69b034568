"""A token opens the resource it was issued for, until it expires or its key is withdrawn; nothing else does."""

import base64
import hmac
import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import RSAKey

from security.authority.authority import rotate_signing_key
from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID
from security.authority.signing_keys import new_signing_key
from security.authority.tokens import LIFETIME, signed_token
from security.authority.validation import CLOCK_SKEW, ExpiredToken, InvalidAudience, InvalidToken, TokenValidator

TENANT_ID = UUID("11111111-2222-4333-8444-555555555555")
ORIGIN = "https://localhost:8443"
OWN = frozenset({ORIGIN})
START = 1_800_000_000.0
USER_ID = "aaaaaaaa-0000-4000-8000-000000000001"


def validate(house, token, audiences=OWN, now=START):
    return house.authority.validator.validate(token, audiences=audiences, now=now)


def signing(house):
    loaded = house.authority.ring.loaded()
    key = loaded.signing(START)
    return key.kid, loaded.by_kid[key.kid]


def forged(house, **changes):
    """A token signed with the authority's own key, with some claims changed, or left out where they are None."""
    claims = {
        "aud": ORIGIN,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "nbf": int(START),
        "exp": int(START) + LIFETIME,
        "appid": str(ADMIN_CLIENT_ID),
        "oid": USER_ID,
        "tid": str(TENANT_ID),
    }
    kid, key = signing(house)
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return signed_token(kept, kid=kid, key=key)


def with_header(token, **header):
    _, payload, signature = token.split(".")
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{encoded}.{payload}.{signature}"


def key_id(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


def test_an_application_token_names_the_application(house):
    claims = validate(house, house.access_token())
    registration = house.database.registrations.get(ADMIN_CLIENT_ID)
    assert (claims.tenant_id, claims.app_id, claims.object_id) == (TENANT_ID, ADMIN_CLIENT_ID, registration.object_id)
    assert (claims.is_app, claims.user_principal_name, claims.name) == (True, None, None)
    assert (claims.roles, claims.scopes, claims.expires) == ((), (), START + LIFETIME)


def test_a_user_token_names_the_user(house):
    token = forged(house, upn="ada@contoso.onmicrosoft.com", name="Ada", scp="user_impersonation", idtyp="user")
    claims = validate(house, token)
    assert (claims.is_app, claims.object_id) == (False, UUID(USER_ID))
    assert (claims.user_principal_name, claims.name) == ("ada@contoso.onmicrosoft.com", "Ada")
    assert claims.scopes == ("user_impersonation",)


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:9", "login.microsoftonline.com"])
def test_a_v2_format_token_is_accepted(house, host):
    token = forged(
        house,
        iss=f"https://{host}/{TENANT_ID}/v2.0",
        appid=None,
        azp=str(ADMIN_CLIENT_ID),
        preferred_username="ada@contoso.onmicrosoft.com",
    )
    claims = validate(house, token)
    assert (claims.app_id, claims.user_principal_name) == (ADMIN_CLIENT_ID, "ada@contoso.onmicrosoft.com")


@pytest.mark.parametrize(
    "audience", [ORIGIN, f"{ORIGIN}/", "https://LOCALHOST:8443", "HTTPS://localhost:8443/", "https://127.0.0.1:8443"]
)
def test_the_audience_is_compared_without_slash_and_case_of_the_host(house, audience):
    own = frozenset({f"{ORIGIN}/", "https://127.0.0.1:8443"})
    assert validate(house, forged(house, aud=audience), own).audience == audience


@pytest.mark.parametrize(
    "audience",
    [
        "https://localhost",
        "https://localhost:8444",
        "http://localhost:8443",
        f"{ORIGIN}//",
        f"{ORIGIN}/api",
        "https://graph.microsoft.com",
        "",
    ],
)
def test_a_token_for_another_resource_is_refused(house, audience):
    with pytest.raises(InvalidAudience):
        validate(house, forged(house, aud=audience))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": f"https://evil.test/{TENANT_ID}/v2.0"}, "issuer"),
        ({"iss": f"https://localhost:8443/{TENANT_ID}/v1.0"}, "issuer"),
        ({"iss": "https://sts.windows.net/99999999-2222-4333-8444-555555555555/"}, "issuer"),
        ({"iss": "https://[bad/v2.0"}, "issuer"),
        ({"iss": None}, "'iss'"),
        ({"tid": "99999999-2222-4333-8444-555555555555"}, "another tenant"),
        ({"tid": "contoso"}, "'tid'"),
        ({"tid": None}, "'tid'"),
        ({"aud": [ORIGIN]}, "'aud'"),
        ({"oid": None}, "'oid'"),
        ({"oid": 7}, "'oid'"),
        ({"appid": None}, "'azp'"),
        ({"exp": None}, "'exp'"),
        ({"exp": "9999999999"}, "'exp'"),
        ({"exp": True}, "'exp'"),
        ({"nbf": None}, "'nbf'"),
        ({"roles": "Application.ReadWrite.All"}, "'roles'"),
        ({"roles": [1]}, "'roles'"),
        ({"scp": ["user_impersonation"]}, "'scp'"),
        ({"upn": 1}, "'upn'"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(house, changes, reason):
    with pytest.raises(InvalidToken, match=reason):
        validate(house, forged(house, **changes))


@pytest.mark.parametrize(
    ("offset", "outcome"),
    [
        (-CLOCK_SKEW - 1, InvalidToken),
        (-CLOCK_SKEW, None),
        (LIFETIME + CLOCK_SKEW - 1, None),
        (LIFETIME + CLOCK_SKEW, ExpiredToken),
        (10**12, ExpiredToken),
    ],
)
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_token_is_valid_in_its_time_give_or_take_five_minutes(own_house, offset, outcome, is_cached):
    token = own_house.access_token()
    if is_cached:
        validate(own_house, token)
    if outcome is None:
        assert validate(own_house, token, now=START + offset).app_id == ADMIN_CLIENT_ID
    else:
        with pytest.raises(outcome):
            validate(own_house, token, now=START + offset)


def test_an_unsigned_token_is_refused(house):
    header, payload, _ = with_header(house.access_token(), alg="none", typ="JWT", kid=signing(house)[0]).split(".")
    for signature in ("", "AAAA"):
        with pytest.raises(InvalidToken):
            validate(house, f"{header}.{payload}.{signature}")


def test_an_hmac_over_the_public_key_is_refused(house):
    kid, key = signing(house)
    public_pem = key.raw_value.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # By hand, for libraries refuse to sign with such a key.
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid}).encode()).rstrip(b"=")
    body = header + b"." + house.access_token().split(".")[1].encode()
    signature = base64.urlsafe_b64encode(hmac.digest(public_pem, body, "sha256")).rstrip(b"=")
    with pytest.raises(InvalidToken):
        validate(house, (body + b"." + signature).decode())


def test_other_algorithms_of_the_right_key_are_refused(house):
    kid, key = signing(house)
    payload = base64.urlsafe_b64decode(house.access_token().split(".")[1] + "==")
    token = jws.serialize_compact({"alg": "PS256", "kid": kid}, payload, key, algorithms=["PS256"])
    with pytest.raises(InvalidToken):
        validate(house, token)


def test_a_key_of_ones_own_is_refused_whatever_name_it_takes(house, rsa_keys):
    stranger = RSAKey.import_key(new_signing_key(rsa_keys[2], now=START).private_pem)
    kid, _ = signing(house)
    payload = base64.urlsafe_b64decode(house.access_token().split(".")[1] + "==")
    for name in (kid, "unknown", None):
        header = {"alg": "RS256"} if name is None else {"alg": "RS256", "kid": name}
        token = jws.serialize_compact(header, payload, stranger, algorithms=["RS256"])
        with pytest.raises(InvalidToken):
            validate(house, token)


def test_a_changed_token_is_refused_even_when_the_original_is_cached(house):
    token = house.access_token()
    validate(house, token)
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"oid": USER_ID}).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidToken, match="signature"):
        validate(house, f"{header}.{changed}.{signature}")


@pytest.mark.parametrize("payload", [b"[]", b"1", b"not json", b"", b"\xff"])
def test_a_payload_that_is_no_object_is_refused(house, payload):
    kid, key = signing(house)
    token = jws.serialize_compact({"alg": "RS256", "kid": kid}, payload, key, algorithms=["RS256"])
    with pytest.raises(InvalidToken):
        validate(house, token)


@settings(max_examples=150, deadline=None)
@given(token=st.one_of(st.text(max_size=60), st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True)))
def test_any_other_text_is_an_invalid_token(house, token):
    with pytest.raises(InvalidToken):
        validate(house, token)


def test_headers_of_any_json_are_invalid_tokens(house):
    token = house.access_token()
    for header in ({}, {"alg": 1}, {"alg": "RS256", "kid": []}, {"alg": "RS256", "kid": 1, "crit": ["x"]}):
        with pytest.raises(InvalidToken):
            validate(house, with_header(token, **header))
    with pytest.raises(InvalidToken, match="too long"):
        validate(house, token + "A" * 40_000)


def test_a_token_is_verified_once_and_then_remembered(own_house):
    token = own_house.access_token()
    first = validate(own_house, token)
    assert validate(own_house, token) is first
    with pytest.raises(InvalidAudience):
        validate(own_house, token, frozenset({"https://graph.microsoft.com"}))


def test_the_cache_forgets_the_token_that_was_used_longest_ago(own_house):
    authority = own_house.authority
    validator = TokenValidator(authority.ring, TENANT_ID, issuer_hosts=frozenset(), cache_size=2)
    tokens = [own_house.access_token() for _ in range(3)]
    kept = validator.validate(tokens[0], audiences=OWN, now=START)
    dropped = validator.validate(tokens[1], audiences=OWN, now=START)
    assert validator.validate(tokens[0], audiences=OWN, now=START) is kept
    validator.validate(tokens[2], audiences=OWN, now=START)
    assert validator.validate(tokens[0], audiences=OWN, now=START) is kept
    assert validator.validate(tokens[1], audiences=OWN, now=START) is not dropped


def test_a_withdrawn_key_invalidates_its_tokens_at_once(own_house):
    token = own_house.access_token()
    validate(own_house, token)
    assert own_house.database.keys.withdraw(signing(own_house)[0])
    with pytest.raises(InvalidToken, match="unknown or withdrawn"):
        validate(own_house, token)
    assert validate(own_house, own_house.access_token()).app_id == ADMIN_CLIENT_ID


def test_a_key_withdrawn_by_another_process_invalidates_its_tokens_at_once(own_house, reopen):
    token = own_house.access_token()
    validate(own_house, token)
    with reopen(own_house) as other:
        assert validate(other, token).app_id == ADMIN_CLIENT_ID
        assert other.database.keys.withdraw(signing(other)[0])
    with pytest.raises(InvalidToken, match="unknown or withdrawn"):
        validate(own_house, token)


def test_after_a_rotation_old_and_new_tokens_are_valid(own_house):
    old = own_house.access_token()
    own_house.clock.now += 10
    rotated = rotate_signing_key(own_house.authority)
    new = own_house.access_token()
    assert key_id(old) != key_id(new) == rotated.kid
    for token in (old, new):
        assert validate(own_house, token, now=own_house.clock.now).app_id == ADMIN_CLIENT_ID


def test_changes_of_registrations_keep_the_cache(own_house, reopen):
    token = own_house.access_token()
    first = validate(own_house, token)
    with reopen(own_house) as other:
        assert other.database.registrations.delete(ADAPTER_CLIENT_ID)
    assert validate(own_house, token) is first


def test_a_clock_before_every_key_signs_with_the_oldest(own_house):
    (oldest,) = own_house.authority.ring.loaded().keys
    own_house.clock.now += 3600
    rotate_signing_key(own_house.authority)
    own_house.clock.now -= 7200
    assert key_id(own_house.access_token()) == oldest.kid
