"""App registrations of the local tenant, through the same calls as in Microsoft Graph."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from integration.web_api import WebApi, literal
from odata_server.admin.services import rows, text_of
from security.authority.thumbprints import thumbprint


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """A certificate as a registration needs it: its DER form, and the thumbprint by which clients name it."""

    der: bytes
    thumbprint: str


class UnreadableCertificateError(Exception):
    """The file holds no certificate."""


def read_certificate(pem: bytes) -> PublicCertificate:
    """Read the first certificate of a PEM file; a private key in it is left alone.

    Raises:
        UnreadableCertificateError: there is none.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise UnreadableCertificateError("it holds no PEM certificate (-----BEGIN CERTIFICATE-----)") from error
    return PublicCertificate(certificate.public_bytes(Encoding.DER), thumbprint(certificate).hex().upper())


def create_registration(
    graph: WebApi,
    name: str,
    *,
    redirect_uris: Sequence[str],
    public: bool,
    certificate: PublicCertificate | None = None,
) -> Mapping[str, str]:
    """Register an application; return its ids, its name and its new secret, unless it is public or has a certificate.

    Learn: "Create application" and "application: addPassword". The object id is the service principal's, which is
    what tokens carry.

    Raises:
        WebApiError: Graph refused.
        ServerUnreachableError: no answer came.
        TokenError: no token is to be had.
        UnexpectedAnswerError: the answer lacks an id.
    """
    kind = "publicClient" if public else "web"
    body: dict[str, object] = {
        "displayName": name,
        "isFallbackPublicClient": public,
        kind: {"redirectUris": list(redirect_uris)},
    }
    if certificate is not None:
        key = base64.b64encode(certificate.der).decode("ascii")
        body["keyCredentials"] = [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": key}]
    application = graph.create("applications", body).body
    client_id = text_of(application, "appId")
    principal = graph.create("servicePrincipals", {"appId": client_id}).body
    created = {
        "client_id": client_id,
        "object_id": text_of(principal, "id"),
        "display_name": text_of(application, "displayName"),
    }
    if certificate is not None:
        return created | {"certificate_thumbprint": certificate.thumbprint}
    if public:
        return created
    password = graph.create(f"applications/{text_of(application, 'id')}/addPassword", {}).body
    return created | {"client_secret": text_of(password, "secretText")}


def list_registrations(graph: WebApi) -> list[Mapping[str, str]]:
    """Return ids and names of all applications; raises what `create_registration` raises."""
    principals = {text_of(row, "appId"): text_of(row, "id") for row in rows(graph, "servicePrincipals")}
    return [
        {
            "client_id": text_of(row, "appId"),
            "object_id": principals.get(text_of(row, "appId"), ""),
            "display_name": text_of(row, "displayName"),
        }
        for row in rows(graph, "applications")
    ]


def delete_registration(graph: WebApi, client_id: str) -> None:
    """Delete an application: it gets no more tokens. Raises what `create_registration` raises."""
    graph.request("DELETE", f"applications(appId={literal(client_id)})")
