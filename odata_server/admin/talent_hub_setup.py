"""The administrator's script of the page "Integrate with LinkedIn Talent Hub", piece by piece (R-140 to R-173).

    role               the security role, in the root business unit                                  R-142, R-143
    privileges         Read on Entity, Field and Relationship, at organization level                 R-144
    application-user   the user of the adapter's application                                         R-150 to R-158
    role-assignment    that user has that role                                                       R-159
    entra-application  Human Resources runs the adapter's calls as a user who may write              R-160 to R-163
    table              the virtual table LinkedIn exported candidate is generated                    R-171 to R-173

Each piece can be looked for, made and taken away, through public APIs only; making what is there changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from integration.web_api import WebApiError, literal
from odata_server.admin.services import AdminServices, UnexpectedAnswerError, rows, text_of

ADAPTER: Final = "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"
ROLE_NAME: Final = "LinkedIn Talent Hub HRIS Integration"
PRIVILEGES: Final = ("prvReadEntity", "prvReadAttribute", "prvReadRelationship")
ENTITY: Final = "HcmLinkedInExportedCandidateEntity"
ENTITY_SET: Final = "mshr_hcmlinkedinexportedcandidateentities"
_PREFERRED_USERS: Final = ("Uma", "Admin")
_GLOBAL_MASK: Final = 8
_NOT_FOUND: Final = 404
# Together the full name that the page asks for: Dynamics365 HR LinkedIn HRIS Integration.
_NAMES: Final = {"firstname": "Dynamics365 HR", "lastname": "LinkedIn HRIS Integration"}
_MAIL_ADDRESS: Final = "talent-hub-adapter@example.com"


class SetupError(Exception):
    """A piece cannot be made or taken away; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the pieces work with.

    Attributes:
        services: sessions of the administrator's application.
        hr_user: the Human Resources user the adapter runs as; None chooses one.
        patience: seconds the generation of the table may take.
        sleep: waits.
    """

    services: AdminServices
    hr_user: str | None = None
    patience: float = 120.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the set-up. All three functions raise what `AdminServices` raise, and SetupError."""

    is_present: Callable[[Setup], bool]
    make: Callable[[Setup], None]
    take_away: Callable[[Setup], None]


def _root_business_unit(setup: Setup) -> str:
    query = {"$select": "businessunitid", "$filter": "_parentbusinessunitid_value eq null"}
    return _first(rows(setup.services.dataverse, "businessunits", query), "businessunitid", "root business unit")


def _find_role(setup: Setup) -> str | None:
    unit = _root_business_unit(setup)
    query = {
        "$select": "roleid",
        "$filter": f"name eq {literal(ROLE_NAME)} and _businessunitid_value eq {unit}",
    }
    found = rows(setup.services.dataverse, "roles", query)
    return text_of(found[0], "roleid") if found else None


def _role(setup: Setup) -> str:
    return _needed(_find_role(setup), "role")


def _make_role(setup: Setup) -> None:
    unit = _root_business_unit(setup)
    body = {"name": ROLE_NAME, "businessunitid@odata.bind": f"/businessunits({unit})"}
    setup.services.dataverse.create("roles", body)


def _delete_role(setup: Setup) -> None:
    setup.services.dataverse.request("DELETE", f"roles({_role(setup)})")


def _privilege_ids(setup: Setup) -> list[str]:
    """Return the ids of the three privileges, as Microsoft's scripts ask for them."""
    names = ",".join(literal(name) for name in PRIVILEGES)
    query = {
        "$select": "privilegeid,name",
        "$filter": "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)",
        "@p1": "'name'",
        "@p2": f"[{names}]",
    }
    found = rows(setup.services.dataverse, "privileges", query)
    if len(found) != len(PRIVILEGES):
        raise SetupError(f"the environment does not know the privileges {', '.join(PRIVILEGES)}: is it a Dataverse?")
    return [text_of(row, "privilegeid") for row in found]


def _has_privileges(setup: Setup) -> bool:
    role = _find_role(setup)
    if role is None:
        return False
    query = {"$select": "privilegeid,privilegedepthmask", "$filter": f"roleid eq {role}"}
    held = {
        text_of(row, "privilegeid")
        for row in rows(setup.services.dataverse, "roleprivilegescollection", query)
        if row.get("privilegedepthmask") == _GLOBAL_MASK
    }
    return held.issuperset(_privilege_ids(setup))


def _add_privileges(setup: Setup) -> None:
    kind = "Microsoft.Dynamics.CRM.RolePrivilege"
    privileges = [
        {"@odata.type": kind, "PrivilegeId": identifier, "Depth": "Global"} for identifier in _privilege_ids(setup)
    ]
    path = f"roles({_role(setup)})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    setup.services.dataverse.request("POST", path, body={"Privileges": privileges})


def _remove_privileges(setup: Setup) -> None:
    path = f"roles({_role(setup)})/Microsoft.Dynamics.CRM.RemovePrivilegeRole"
    for identifier in _privilege_ids(setup):
        privilege = {"@odata.type": "Microsoft.Dynamics.CRM.privilege", "privilegeid": identifier}
        setup.services.dataverse.request("POST", path, body={"Privilege": privilege})


def _find_user(setup: Setup) -> Mapping[str, object] | None:
    query = {"$select": "systemuserid,isdisabled", "$filter": f"applicationid eq {ADAPTER}"}
    found = rows(setup.services.dataverse, "systemusers", query)
    return found[0] if found else None


def _user(setup: Setup) -> str:
    row = _find_user(setup)
    return _needed(text_of(row, "systemuserid") if row else None, "application-user")


def _has_enabled_user(setup: Setup) -> bool:
    user = _find_user(setup)
    return user is not None and user.get("isdisabled") is not True


def _make_user(setup: Setup) -> None:
    """Create the application user, or enable one that was disabled (there is one per application)."""
    if _find_user(setup) is not None:
        _set_disabled(setup, disabled=False)
        return
    unit = _root_business_unit(setup)
    body = {
        "applicationid": ADAPTER,
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "internalemailaddress": _MAIL_ADDRESS,
        **_NAMES,
    }
    setup.services.dataverse.create("systemusers", body)


def _delete_user(setup: Setup) -> None:
    """Learn: "Manage application users": only a user that is disabled may be deleted."""
    _set_disabled(setup, disabled=True)
    setup.services.dataverse.request("DELETE", f"systemusers({_user(setup)})")


def _set_disabled(setup: Setup, *, disabled: bool) -> None:
    setup.services.dataverse.request("PATCH", f"systemusers({_user(setup)})", body={"isdisabled": disabled})


def _is_assigned(setup: Setup) -> bool:
    role, user = _find_role(setup), _find_user(setup)
    if role is None or user is None:
        return False
    query = {
        "$select": "systemuserroleid",
        "$filter": f"systemuserid eq {text_of(user, 'systemuserid')} and roleid eq {role}",
    }
    return bool(rows(setup.services.dataverse, "systemuserrolescollection", query))


def _assign(setup: Setup) -> None:
    path = f"systemusers({_user(setup)})/systemuserroles_association/$ref"
    target = f"{setup.services.url}/api/data/v9.2/roles({_role(setup)})"
    setup.services.dataverse.request("POST", path, body={"@odata.id": target})


def _unassign(setup: Setup) -> None:
    path = f"systemusers({_user(setup)})/systemuserroles_association/$ref"
    target = f"{setup.services.url}/api/data/v9.2/roles({_role(setup)})"
    setup.services.dataverse.request("DELETE", path, query={"$id": target})


def _find_entra_application(setup: Setup) -> Mapping[str, object] | None:
    query = {"$filter": f"ClientId eq {literal(ADAPTER)}"}
    found = rows(setup.services.human_resources, "EntraApplications", query)
    return found[0] if found else None


def _is_mapped(setup: Setup) -> bool:
    """Tell whether the record is there, for the wanted user if one was named."""
    record = _find_entra_application(setup)
    return record is not None and (setup.hr_user is None or record.get("UserId") == setup.hr_user)


def _map(setup: Setup) -> None:
    user = _known_user(setup, (setup.hr_user,) if setup.hr_user else _PREFERRED_USERS)
    if _find_entra_application(setup) is not None:
        path = f"EntraApplications(ClientId={literal(ADAPTER)})"
        setup.services.human_resources.request("PATCH", path, body={"UserId": user})
        return
    body = {"ClientId": ADAPTER, "Name": ROLE_NAME, "UserId": user}
    setup.services.human_resources.create("EntraApplications", body)


def _known_user(setup: Setup, candidates: Sequence[str]) -> str:
    """Return the first of the candidates that Human Resources knows as a user."""
    for user in candidates:
        if rows(setup.services.human_resources, "SystemUsers", {"$filter": f"UserID eq {literal(user)}"}):
            return user
    raise SetupError(
        f"Human Resources has no user {' or '.join(candidates)}: "
        "name one who may write in Personnel management with --hr-user"
    )


def _unmap(setup: Setup) -> None:
    setup.services.human_resources.request("DELETE", f"EntraApplications(ClientId={literal(ADAPTER)})")


def _catalog_row(setup: Setup) -> Mapping[str, object]:
    query = {
        "$select": "mserp_financeandoperationsentityid,mserp_hasbeengenerated",
        "$filter": f"mserp_physicalname eq {literal(ENTITY)}",
    }
    found = rows(setup.services.dataverse, "mserp_financeandoperationsentities", query)
    if not found:
        raise SetupError(f"the catalog of entities has no {ENTITY}: configure virtual tables for Human Resources first")
    return found[0]


def _is_generated(setup: Setup) -> bool:
    return _catalog_row(setup).get("mserp_hasbeengenerated") is True and _answers(setup)


def _answers(setup: Setup) -> bool:
    try:
        setup.services.dataverse.get(ENTITY_SET, {"$top": "1"})
    except WebApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return False
    return True


def _generate(setup: Setup) -> None:
    _set_generated(setup, wanted=True)


def _hide(setup: Setup) -> None:
    _set_generated(setup, wanted=False)


def _set_generated(setup: Setup, *, wanted: bool) -> None:
    """Ask for the table or for its removal, and wait: a background process does it."""
    identifier = text_of(_catalog_row(setup), "mserp_financeandoperationsentityid")
    path = f"mserp_financeandoperationsentities({identifier})"
    setup.services.dataverse.request("PATCH", path, body={"mserp_hasbeengenerated": wanted})
    until, pause = time.monotonic() + setup.patience, 0.05
    while _answers(setup) is not wanted:
        if time.monotonic() > until:
            state = "generated" if wanted else "removed"
            raise SetupError(
                f"the table {ENTITY_SET} is not {state} after {setup.patience:g} seconds: "
                "look at the system jobs, then run the command again"
            )
        setup.sleep(pause)
        pause = min(pause * 1.5, 1.0)


def _first(found: list[Mapping[str, object]], name: str, what: str) -> str:
    if not found:
        raise UnexpectedAnswerError(f"there is no {what}")
    return text_of(found[0], name)


def _needed(found: str | None, piece: str) -> str:
    if found is None:
        raise SetupError(f"the piece {piece} is missing: run 'talentverse setup talent-hub' first")
    return found


PIECES: Final[Mapping[str, Piece]] = MappingProxyType(
    {
        "role": Piece(lambda setup: _find_role(setup) is not None, _make_role, _delete_role),
        "privileges": Piece(_has_privileges, _add_privileges, _remove_privileges),
        "application-user": Piece(_has_enabled_user, _make_user, _delete_user),
        "role-assignment": Piece(_is_assigned, _assign, _unassign),
        "entra-application": Piece(_is_mapped, _map, _unmap),
        "table": Piece(_is_generated, _generate, _hide),
    }
)
"""The pieces by name, in the page's order; each stands on the ones before it."""


def make(setup: Setup, name: str) -> bool:
    """Make a piece unless it is there; tell whether it had to be made."""
    piece = PIECES[name]
    if piece.is_present(setup):
        return False
    piece.make(setup)
    if not piece.is_present(setup):
        raise SetupError(f"the piece {name} was made, but cannot be read back: look at the server's log")
    return True


def take_away(setup: Setup, name: str) -> bool:
    """Take a piece away if it is there; tell whether it was."""
    piece = PIECES[name]
    if not piece.is_present(setup):
        return False
    piece.take_away(setup)
    return True
