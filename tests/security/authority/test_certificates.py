"""An application signs in with a certificate: good assertions give tokens, all others Entra's refusals."""

import base64
import json

import pytest
from certificate_applications import (
    ASSERTION_TYPE,
    ORIGIN,
    START,
    TENANT_ID,
    CertificateApplication,
    certificate_for,
    der,
    key_credential,
    padded,
    thumbprints,
)
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc.jwk import OctKey

OTHER = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture(scope="module")
def certificate(rsa_keys):
    return certificate_for(rsa_keys[0])


@pytest.fixture(scope="module")
def application(house, rsa_keys, certificate):
    made = CertificateApplication(house, rsa_keys[0], certificate)
    yield made
    house.graph("DELETE", f"/applications/{made.document['id']}")


@pytest.fixture
def own_application(own_house, rsa_keys, certificate):
    return CertificateApplication(own_house, rsa_keys[0], certificate)


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("named", [("x5t",), ("x5t#S256",), ("x5t", "x5t#S256")])
def test_either_thumbprint_with_or_without_padding_and_either_algorithm(application, algorithm, bare, named):
    given = {name: thumbprints(application.certificate)[name] for name in named}
    header = {"alg": algorithm, "x5t": None} | {
        name: value.rstrip("=") if bare else value for name, value in given.items()
    }
    response = application.ask(application.assertion(header=header))
    assert response.status_code == 200, response.json
    claims = claims_of(response.json["access_token"])
    assert (claims["appid"], claims["appidacr"]) == (application.client_id, "2")


def test_a_chain_names_the_certificate_too(application):
    chain = [base64.b64encode(der(application.certificate)).decode()] * 3
    assert application.ask(application.assertion(header={"x5t": None, "x5c": chain})).status_code == 200


def test_the_v1_endpoint_takes_assertions(application):
    assertion = application.assertion(aud=f"{ORIGIN}/common/oauth2/token")
    response = application.house.token(
        "common",
        "",
        client_id=application.client_id,
        client_secret=None,
        client_assertion=assertion,
        client_assertion_type=ASSERTION_TYPE,
        scope=None,
        resource=ORIGIN,
    )
    assert response.status_code == 200, response.json


@pytest.mark.parametrize(
    "audience",
    [
        f"{ORIGIN}/contoso.onmicrosoft.com/oauth2/v2.0/token",
        f"{ORIGIN}/{TENANT_ID}/oauth2/token",
        f"{ORIGIN}/{TENANT_ID}/v2.0",
        f"https://LOCALHOST:8443/{TENANT_ID.upper()}/v2.0",
    ],
)
def test_every_spelling_of_the_endpoint_is_the_audience(application, audience):
    assert application.ask(application.assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": START - 299.5},
        {"nbf": START + 299.5, "iat": None},
        {"exp": START + 86_400, "jti": None},
        {"iat": None},
        {"exp": int(START) + 600, "iat": int(START)},
    ],
    ids=["expired within the skew", "begins within the skew", "a day", "no beginning", "whole seconds"],
)
def test_times_may_be_fractions_and_clocks_may_differ(application, changes):
    assert application.ask(application.assertion(**changes)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"exp": START - 300}, 700024, "It is expired."),
        ({"nbf": START + 301}, 700024, "It is not valid yet."),
        ({"iat": START + 301}, 700024, "It is not valid yet."),
        ({"exp": START + 87_000}, 700024, "It may be valid for 86400 seconds."),
        ({"exp": None}, 50027, "no valid claim 'exp'"),
        ({"exp": "soon"}, 50027, "no valid claim 'exp'"),
        ({"exp": True}, 50027, "no valid claim 'exp'"),
        ({"exp": 1e300}, 700024, "It may be valid"),
        ({"aud": None}, 50027, "no valid claim 'aud'"),
        ({"aud": [ORIGIN]}, 50027, "no valid claim 'aud'"),
        ({"aud": f"https://elsewhere.test/{TENANT_ID}/oauth2/v2.0/token"}, 700023, f"{ORIGIN}/{TENANT_ID}/oauth2"),
        ({"aud": f"https://localhost:9999/{TENANT_ID}/oauth2/v2.0/token"}, 700023, "does not match"),
        ({"aud": f"http://localhost:8443/{TENANT_ID}/oauth2/v2.0/token"}, 700023, "does not match"),
        ({"aud": f"{ORIGIN}/{OTHER}/oauth2/v2.0/token"}, 700023, "does not match"),
        ({"aud": f"{ORIGIN}/{TENANT_ID}/oauth2/v2.0/authorize"}, 700023, "does not match"),
        ({"aud": f"{ORIGIN}/{TENANT_ID}/oauth2/v2.0/token?x=1"}, 700023, "does not match"),
        ({"aud": "https://[::1"}, 700023, "does not match"),
        ({"aud": ""}, 700023, "does not match"),
        ({"iss": OTHER}, 700021, "Both 'iss' and 'sub' must be"),
        ({"sub": OTHER}, 700021, "Both 'iss' and 'sub' must be"),
        ({"iss": None}, 50027, "no valid claim 'iss'"),
        ({"sub": 5}, 50027, "no valid claim 'sub'"),
        ({"header": {"x5t": None}}, 700027, "The header names no key"),
        ({"header": {"x5t": "AAAA"}}, 700027, "The key was not found., Thumbprint of key used by client: '000000'"),
        ({"header": {"x5t": "!"}}, 700027, "The key was not found."),
        ({"header": {"x5t#S256": "AAAA"}}, 700027, "The key was not found."),
        ({"header": {"x5c": []}}, 700027, "The key was not found."),
        ({"header": {"x5c": ["!"]}}, 700027, "The key was not found."),
        ({"header": {"alg": "RS384"}}, 50027, "signed with RS256 or PS256"),
    ],
)
def test_a_bad_assertion_is_refused_with_entras_code(application, changes, code, text):
    response = application.ask(application.assertion(**changes))
    assert (response.status_code, response.json["error"], response.json["error_codes"]) == (
        401,
        "invalid_client",
        [code],
    )
    assert text in response.json["error_description"]


def test_an_assertion_of_another_issuer_is_named_as_missing(application):
    response = application.ask(application.assertion(iss="https://token.actions.test", sub="repo:contoso/x"))
    assert (response.status_code, response.json["error_codes"]) == (501, [700211])
    assert "Federated identity credentials" in response.json["error_description"]


def segment(members):
    return padded(json.dumps(members).encode()).rstrip("=")


def signed(application, header, claims):
    """Return an assertion whose signature is right, whatever its header says."""
    head = segment({"alg": "RS256"} | thumbprints(application.certificate) | header)
    signature = application.key.sign(f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{claims}.{padded(signature).rstrip('=')}"


def forged(application, rsa_keys):
    """Return assertions that somebody made who does not have the key."""
    good = application.assertion()
    head, claims, signature = good.split(".")
    public = application.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secret = OctKey.import_key(base64.urlsafe_b64encode(public).decode())
    unsigned, later = segment({"alg": "none", "typ": "JWT"}), segment({"exp": START + 9})
    return {
        "another key": application.assertion(key=rsa_keys[1]),
        "key confusion": application.assertion(header={"alg": "HS256"}, key=secret),
        "none": f"{unsigned}.{claims}.",
        "no signature": f"{head}.{claims}.",
        "other claims": f"{head}.{later}.{signature}",
        "another algorithm": f"{segment({'alg': 'PS256'} | thumbprints(application.certificate))}.{claims}.{signature}",
        "critical header": signed(application, {"crit": ["b64x"], "b64x": 1}, claims),
        "unencoded claims": signed(application, {"crit": ["b64"], "b64": False}, claims),
        "no token": "an assertion",
        "two parts": f"{head}.{claims}",
        "not ascii": f"{head}.{claims}.é",
        "no claims": f"{head}.{padded(b'[]').rstrip('=')}.{signature}",
        "too long": application.assertion(more="x" * 20_000),
    }


FORGERIES = (
    ("another key", 700027),
    ("key confusion", 50027),
    ("none", 50027),
    ("no signature", 700027),
    ("other claims", 50027),
    ("another algorithm", 700027),
    ("critical header", 700027),
    ("unencoded claims", 50027),
    ("no token", 50027),
    ("two parts", 50027),
    ("not ascii", 50027),
    ("no claims", 50027),
    ("too long", 50027),
)


@pytest.mark.parametrize(("forgery", "code"), FORGERIES)
def test_a_forged_assertion_opens_nothing(application, rsa_keys, forgery, code):
    response = application.ask(forged(application, rsa_keys)[forgery])
    assert (response.status_code, response.json["error_codes"]) == (401, [code]), response.json


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"client_assertion_type": None}, 400, 900144),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, 400, 9002313),
        ({"client_secret": "both"}, 400, 9002313),
        ({"client_assertion": ""}, 401, 7000218),
        ({"client_id": OTHER}, 400, 700016),
    ],
)
def test_the_form_has_to_be_of_one_piece(application, form, status, code):
    response = application.ask(application.assertion(), **form)
    assert (response.status_code, response.json["error_codes"]) == (status, [code])


def test_an_assertion_of_one_application_does_not_speak_for_another(application, rsa_keys):
    other = CertificateApplication(application.house, rsa_keys[0], certificate_for(rsa_keys[0], (-2, 300)))
    response = other.ask(application.assertion())
    assert response.json["error_codes"] == [700021]
    response = other.ask(application.assertion(iss=other.client_id, sub=other.client_id))
    assert response.json["error_codes"] == [700027]
    application.house.graph("DELETE", f"/applications/{other.document['id']}")


def test_an_assertion_may_come_again_while_it_lasts_as_msal_does(own_application):
    assertion = own_application.assertion()
    assert [own_application.ask(assertion).status_code for _ in range(2)] == [200, 200]
    own_application.house.clock.now += 1000
    assert own_application.ask(assertion).json["error_codes"] == [700024]


def test_an_expired_certificate_signs_nothing(own_application):
    own_application.house.clock.now += 365 * 86_400
    response = own_application.ask(own_application.assertion())
    assert (response.status_code, response.json["error_codes"]) == (401, [700027])
    assert "expired" in response.json["error_description"]


def test_an_application_may_have_several_certificates_and_secrets(own_application, rsa_keys):
    house, path = own_application.house, f"/applications/{own_application.document['id']}"
    secret = house.graph("POST", f"{path}/addPassword").json["secretText"]
    (first,) = house.graph("GET", path).json["keyCredentials"]
    second = certificate_for(rsa_keys[1], (-1, 30))
    both = {"keyCredentials": [{"keyId": first["keyId"]}, key_credential(second, displayName="second")]}
    assert house.graph("PATCH", path, json=both).status_code == 204
    assert own_application.ask(own_application.assertion()).status_code == 200
    by_second = own_application.assertion(key=rsa_keys[1], header=thumbprints(second))
    assert own_application.ask(by_second).status_code == 200
    assert house.token(client_id=own_application.client_id, client_secret=secret).status_code == 200
    assert house.graph("PATCH", path, json={"keyCredentials": []}).status_code == 204
    assert own_application.ask(own_application.assertion()).json["error_codes"] == [700027]
    assert house.token(client_id=own_application.client_id, client_secret=secret).status_code == 200


def test_a_certificate_is_there_after_a_restart(own_application, reopen):
    own_application.house.database.close()
    with reopen(own_application.house) as again:
        again.secrets.update(own_application.house.secrets)
        own_application.house = again
        assert own_application.ask(own_application.assertion()).status_code == 200
