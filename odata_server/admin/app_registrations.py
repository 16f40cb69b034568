"""App registrations of the local tenant, through the same calls as in Microsoft Graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integration.web_api import WebApi, literal
from odata_server.admin.services import rows, text_of


def create_registration(graph: WebApi, name: str, *, redirect_uris: Sequence[str], public: bool) -> Mapping[str, str]:
    """Register an application; return its ids, its name and, unless it is public, its new secret.

    Learn: "Create application" and "application: addPassword". The object id is the service principal's, which is
    what tokens carry.

    Raises:
        WebApiError: Graph refused.
        ServerUnreachableError: no answer came.
        TokenError: no token is to be had.
        UnexpectedAnswerError: the answer lacks an id.
    """
    kind = "publicClient" if public else "web"
    body = {"displayName": name, "isFallbackPublicClient": public, kind: {"redirectUris": list(redirect_uris)}}
    application = graph.create("applications", body).body
    client_id = text_of(application, "appId")
    principal = graph.create("servicePrincipals", {"appId": client_id}).body
    created = {
        "client_id": client_id,
        "object_id": text_of(principal, "id"),
        "display_name": text_of(application, "displayName"),
    }
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
