"""Sharing over HTTP: an administrator, a reader whose role starts without privileges, and short ways to share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROOT = "https://org.test:8443/api/data/v9.2"
CRM = "Microsoft.Dynamics.CRM"


def named(kind: str, identifier: str) -> dict[str, str]:
    """Return a record as a parameter of an action."""
    return {"@odata.type": f"{CRM}.{kind}", f"{kind}id": identifier}


@dataclass(frozen=True, slots=True)
class Sharing:
    """The Web API, the ids of what every test of sharing needs, and what may be done with them."""

    api: Any
    unit: str
    role: str
    admin: str
    reader: str
    team: str

    def allow(self, **depths: str) -> None:
        """Give the reader's role exactly some privileges: `ReadAccount="Basic"`."""
        known = self.api.json("/privileges?$select=name,privilegeid")["value"]
        ids = {row["name"]: row["privilegeid"] for row in known}
        privileges = [
            {"PrivilegeId": ids[f"prv{name}"], "Depth": depth, "BusinessUnitId": self.unit}
            for name, depth in {"ReadUser": "Basic", **depths}.items()
        ]
        path = f"/roles({self.role})/{CRM}.ReplacePrivilegesRole"
        assert self.api("POST", path, {"Privileges": privileges}).status == 204

    def send(self, method: str, path: str, body: object = None, user: str = "roleless") -> tuple[int, Any]:
        """Send a request as the reader and return status and JSON."""
        answer = self.api(method, path, body, authorization=f"Bearer {user}")
        return answer.status, json.loads(answer.body) if answer.body else None

    def names(self, path: str = "/accounts?$select=name&$orderby=name", column: str = "name") -> list[str]:
        """Return what the reader finds."""
        status, found = self.send("GET", path)
        assert status == 200, found
        return [row[column] for row in found["value"]]

    def change(
        self, action: str, record: tuple[str, str], mask: str = "ReadAccess", to: tuple[str, str] | None = None
    ) -> tuple[str, Mapping[str, object]]:
        """Return path and body of an action of sharing."""
        principal = named(*(to or ("systemuser", self.reader)))
        given = {"AccessMask": mask, "Principal": principal}
        rest = {"Revokee": principal} if action == "RevokeAccess" else {"PrincipalAccess": given}
        return f"/{action}", {"Target": named(*record), **rest}

    def do(
        self, action: str, record: tuple[str, str], mask: str = "ReadAccess", to: tuple[str, str] | None = None
    ) -> None:
        """Let the administrator share a record, or end it."""
        path, body = self.change(action, record, mask, to)
        answer = self.api("POST", path, body)
        assert answer.status == 204, answer.body

    def masks(self, record: str, principal: str | None = None) -> tuple[int, int] | None:
        """Return the masks of a principal on a record, None where there is no row."""
        path = f"/principalobjectaccessset?$filter=objectid eq {record} and principalid eq {principal or self.reader}"
        rows = self.api.json(path)["value"]
        assert len(rows) <= 1
        return (rows[0]["accessrightsmask"], rows[0]["inheritedaccessrightsmask"]) if rows else None


def set_up(api: Any) -> Sharing:
    """Make the reader's role and a team that the reader is a member of."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    users = {row["fullname"]: row["systemuserid"] for row in api.json("/systemusers?$select=fullname")["value"]}
    reader, admin = users["# Roleless"], users["# Admin"]
    role = api.created("roles", name="Sharer", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({reader})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    team = api.created(
        "teams",
        name="Sharers",
        teamtype=1,
        **{"businessunitid@odata.bind": f"/businessunits({unit})"},
        **{"administratorid@odata.bind": f"/systemusers({admin})"},
    )
    path = f"/teams({team})/teammembership_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/systemusers({reader})"}).status == 204
    return Sharing(api, unit, role, admin, reader, team)
