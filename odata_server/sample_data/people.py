"""The people of Contoso: where they stand in the tree of business units and which role they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from entities.metadata.declare import derived_id
from entities.standard.identifiers import role_copy_id, role_id, root_business_unit_id
from entities.standard.seed import BASIC_USER, SYSTEM_ADMINISTRATOR, SYSTEM_CUSTOMIZER
from entities.values import EntityReference, Guid, Record

BERLIN = "Berlin"
UTRECHT = "Utrecht"


@dataclass(frozen=True, slots=True)
class Person:
    """A sample user; `unit` is empty for the root business unit."""

    first_name: str
    unit: str
    role: str
    job_title: str

    @property
    def user_id(self) -> Guid:
        """The id of the row in systemuser."""
        return derived_id("demo", "systemuser", self.first_name)

    @property
    def object_id(self) -> Guid:
        """The object id that the person's tokens carry (`oid`)."""
        return derived_id("demo", "person", self.first_name)

    @property
    def password(self) -> str:
        """The password that the person signs in with: sample data, known to everybody."""
        return f"Talentverse-{self.first_name}-1"

    def principal_name(self, domain: str) -> str:
        """Return the name the person signs in with."""
        return f"{self.first_name.lower()}@{domain}"


LAST_NAME = "Example"

PEOPLE = (
    Person("Ada", "", SYSTEM_ADMINISTRATOR, "Talent acquisition administrator"),
    Person("Sam", "", SYSTEM_ADMINISTRATOR, "System administrator"),
    Person("Leo", "", SYSTEM_CUSTOMIZER, "Recruiting operations"),
    Person("Uma", "", BASIC_USER, "HR business partner"),
    Person("Rita", BERLIN, BASIC_USER, "Recruiter"),
    Person("Hilda", BERLIN, BASIC_USER, "Hiring manager"),
    Person("Ivan", BERLIN, BASIC_USER, "Interviewer"),
    Person("Rob", UTRECHT, BASIC_USER, "Recruiter"),
    Person("Rex", UTRECHT, BASIC_USER, "HR assistant"),
)


def unit_id(organization_id: Guid, unit: str) -> Guid:
    """Return the id of a sample business unit; the root's when the name is empty."""
    return derived_id(organization_id, "demo", "businessunit", unit) if unit else root_business_unit_id(organization_id)


def role_in_unit(organization_id: Guid, unit: str, role: str) -> Guid:
    """Return the id of a standard role, or of its copy, in a sample business unit."""
    original = role_id(root_business_unit_id(organization_id), role)
    return role_copy_id(unit_id(organization_id, unit), original) if unit else original


def unit_rows(organization_id: Guid) -> Iterator[tuple[str, Record]]:
    """Yield the business units below the root."""
    root = EntityReference("businessunit", root_business_unit_id(organization_id))
    for name, city, country in ((BERLIN, "Berlin", "Germany"), (UTRECHT, "Utrecht", "Netherlands")):
        yield (
            "businessunit",
            {
                "businessunitid": unit_id(organization_id, name),
                "name": name,
                "parentbusinessunitid": root,
                "address1_city": city,
                "address1_country": country,
            },
        )


def user_rows(organization_id: Guid, domain: str) -> Iterator[tuple[str, Record]]:
    """Yield the users and the role that each of them holds.

    Args:
        organization_id: the environment's organization.
        domain: the tenant's domain.
    """
    for number, person in enumerate(PEOPLE, 1):
        address = person.principal_name(domain)
        yield (
            "systemuser",
            {
                "systemuserid": person.user_id,
                "firstname": person.first_name,
                "lastname": LAST_NAME,
                "jobtitle": person.job_title,
                "domainname": address,
                "internalemailaddress": address,
                "businessunitid": EntityReference("businessunit", unit_id(organization_id, person.unit)),
                "azureactivedirectoryobjectid": person.object_id,
                "employeeid": f"E{number:03}",
                "accessmode": 0,
                "caltype": 7,
                "islicensed": True,
                "issyncwithdirectory": True,
                "identityid": 100 + number,
            },
        )
        role = role_in_unit(organization_id, person.unit, person.role)
        yield (
            "systemuserroles",
            {
                "systemuserroleid": derived_id(person.user_id, "systemuserroles", role),
                "systemuserid": person.user_id,
                "roleid": role,
            },
        )
