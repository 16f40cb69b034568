"""Microsoft Graph's `keyCredentials`: applications get certificates that fit, show them, and refuse all others."""

import base64
import hashlib
from uuid import UUID

import pytest
from certificate_applications import CertificateApplication, certificate_for, der, key_credential
from cryptography.hazmat.primitives.asymmetric import ec, rsa

OTHER = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture(scope="module")
def certificate(rsa_keys):
    return certificate_for(rsa_keys[0])


@pytest.fixture(scope="module")
def application(house, rsa_keys, certificate):
    made = CertificateApplication(house, rsa_keys[0], certificate)
    yield made
    house.graph("DELETE", f"/applications/{made.document['id']}")


def test_graph_shows_key_credentials_without_their_bytes(application):
    (shown,) = application.document["keyCredentials"]
    assert UUID(shown.pop("keyId"))
    thumbprint = hashlib.sha1(der(application.certificate), usedforsecurity=False).digest()
    assert shown == {
        "displayName": "CN=nightly.contoso.test",
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": None,
        "customKeyIdentifier": base64.b64encode(thumbprint).decode(),
        "startDateTime": "2027-01-14T08:00:00Z",
        "endDateTime": "2028-01-15T08:00:00Z",
    }


def test_a_certificate_may_end_before_its_own_end(own_house, rsa_keys, certificate):
    body = {"displayName": "Short", "keyCredentials": [key_credential(certificate, endDateTime="2027-02-01T00:00:00Z")]}
    (shown,) = own_house.graph("POST", "/applications", json=body).json["keyCredentials"]
    assert shown["endDateTime"] == "2027-02-01T00:00:00Z"


def unfit(rsa_keys, certificate):
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    curve = ec.generate_private_key(ec.SECP256R1())
    good = key_credential(certificate)
    return {
        "not a list": ("x", "must be a list"),
        "not objects": (["x"], "must be a list"),
        "too many": ([good] * 21, "up to 20"),
        "no base64": ([good | {"key": "!"}], "in base64"),
        "no text": ([good | {"key": 5}], "in base64"),
        "no certificate": ([good | {"key": "AAAA"}], "not an X.509 certificate"),
        "small key": ([key_credential(certificate_for(small))], "at least 2048 bits"),
        "another key": ([key_credential(certificate_for(curve))], "must be an RSA key"),
        "kind": ([good | {"type": "Symmetric"}], "must be 'AsymmetricX509Cert'"),
        "usage": ([good | {"usage": "Sign"}], "must be 'Verify'"),
        "name": ([good | {"displayName": 5}], "'displayName'"),
        "id": ([good | {"keyId": "x"}], "'keyId'"),
        "end": ([good | {"endDateTime": "x"}], "'endDateTime'"),
        "unknown": ([good | {"proof": "x"}], "'proof' is not supported"),
        "unknown one": ([{"keyId": OTHER}], "is required"),
        "twice": ([good | {"keyId": OTHER}, good | {"keyId": OTHER}], "must be unique"),
    }


UNFIT = (
    "not a list,not objects,too many,no base64,no text,no certificate,small key,another key,kind,usage,name,id,end,"
    "unknown,unknown one,twice"
)


@pytest.mark.parametrize("case", UNFIT.split(","))
def test_unfit_key_credentials_are_refused(application, rsa_keys, case):
    value, text = unfit(rsa_keys, application.certificate)[case]
    house = application.house
    path = f"/applications/{application.document['id']}"
    before = house.graph("GET", path).json
    for method, target, more in (("POST", "/applications", {"displayName": "x"}), ("PATCH", path, {})):
        response = house.graph(method, target, json=more | {"keyCredentials": value})
        assert response.status_code == 400, response.json
        assert text in response.json["error"]["message"]
    assert house.graph("GET", path).json == before


def test_only_key_credentials_can_be_changed(application):
    path = f"/applications/{application.document['id']}"
    for body, text in (({"displayName": "x"}, "not supported"), ({}, "can be changed")):
        response = application.house.graph("PATCH", path, json=body)
        assert (response.status_code, text in response.json["error"]["message"]) == (400, True)


def test_a_public_application_has_no_certificate(own_house, certificate):
    keys = {"keyCredentials": [key_credential(certificate)]}
    body = {"displayName": "Public", "isFallbackPublicClient": True}
    assert own_house.graph("POST", "/applications", json=body | keys).status_code == 400
    made = own_house.graph("POST", "/applications", json=body).json
    assert own_house.graph("PATCH", f"/applications/{made['id']}", json=keys).status_code == 400
