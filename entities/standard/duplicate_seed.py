"""The duplicate detection rules of a new organization (Learn: "Detect duplicate data using the Web API").

Dataverse has them for accounts, contacts and leads; leads are not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.metadata.declare import derived_id
from entities.standard.duplicate_tables import CONDITION, RULE, MatchOperator, RuleStatus
from entities.values import EntityReference, Record

_RULES = (("account", "Accounts"), ("contact", "Contacts"))


def duplicate_rule_rows() -> Iterator[tuple[str, Record]]:
    """Yield the rules, which are published, with their conditions."""
    for table, plural in _RULES:
        name = f"{plural} with the same e-mail address"
        rule = EntityReference(RULE, derived_id(RULE, name))
        yield (
            RULE,
            {
                "duplicateruleid": rule.id,
                "name": name,
                "description": f"Detects {plural.lower()} that have the same value in the column Email.",
                "baseentityname": table,
                "matchingentityname": table,
                "statecode": 1,
                "statuscode": RuleStatus.PUBLISHED.value,
            },
        )
        yield (
            CONDITION,
            {
                "duplicateruleconditionid": derived_id(CONDITION, name, "emailaddress1"),
                "regardingobjectid": rule,
                "baseattributename": "emailaddress1",
                "matchingattributename": "emailaddress1",
                "operatorcode": MatchOperator.EXACT.value,
                "ignoreblankvalues": True,
            },
        )
