"""The set-up of Talent Hub in an application of this process: a caller with a narrow role, and a generated table."""

from __future__ import annotations

from driving import URL, WEB_API, Caller, until

from odata_server.admin.talent_hub_setup import ADAPTER, ENTITY, ENTITY_SET, PRIVILEGES


def set_talent_hub_up(administrator: Caller) -> None:
    """Make role, user, record and table, as the page asks for them."""
    unit = administrator.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]
    role = administrator.create("roles", {"name": "Export", "businessunitid@odata.bind": f"/businessunits({unit})"})
    asked = " or ".join(f"name eq '{name}'" for name in PRIVILEGES)
    found = administrator.rows(f"privileges?$select=privilegeid&$filter={asked}")
    privileges = [{"PrivilegeId": row["privilegeid"], "Depth": "Global"} for row in found]
    administrator.post(f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": privileges})
    body = {
        "applicationid": ADAPTER,
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "firstname": "Dynamics365 HR",
        "lastname": "LinkedIn HRIS Integration",
        "internalemailaddress": "adapter@x.test",
    }
    user = administrator.create("systemusers", body)
    link = {"@odata.id": f"{URL}{WEB_API}roles({role})"}
    administrator.post(f"systemusers({user})/systemuserroles_association/$ref", link)
    administrator.post("/data/EntraApplications", {"ClientId": ADAPTER, "Name": "Talent Hub", "UserId": "Uma"})
    query = f"$filter=mserp_physicalname eq '{ENTITY}'"
    (row,) = administrator.rows(f"mserp_financeandoperationsentities?{query}")
    path = f"mserp_financeandoperationsentities({row['mserp_financeandoperationsentityid']})"
    administrator.patch(path, {"mserp_hasbeengenerated": True})
    until(lambda: administrator.send("GET", ENTITY_SET).status_code == 200)
