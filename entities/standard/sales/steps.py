"""The steps of sales and service, and what the platform computes on their records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.pipeline import Stage, Step
from entities.standard.customer_rules import compose_addresses, convert_amounts, name_person
from entities.standard.sales.closing import closing_steps
from entities.standard.sales.qualifying import qualifying_steps

_WITH_AMOUNTS: Final = (
    *("lead", "opportunity", "opportunityproduct", "opportunityclose", "competitor", "campaign", "list"),
    *("product", "productpricelevel", "quote", "quotedetail", "salesorder", "salesorderdetail"),
    *("invoice", "invoicedetail", "contract", "goal"),
)
_WITH_ADDRESSES: Final = ("lead", "competitor")


def sales_steps() -> tuple[Step, ...]:
    """Return the steps of the tables of sales and service."""
    return (*closing_steps(), *qualifying_steps(), *_computed())


def _computed() -> Iterator[Step]:
    """Yield the steps that complete records: full names, addresses as one text, amounts in the base currency."""
    for message in ("Create", "Update"):
        yield Step(message, "lead", Stage.PRE_OPERATION, name_person)
        for table in _WITH_ADDRESSES:
            yield Step(message, table, Stage.PRE_OPERATION, compose_addresses)
        for table in _WITH_AMOUNTS:
            yield Step(message, table, Stage.PRE_OPERATION, convert_amounts)
