"""The steps of sales and service, and what the platform computes on their records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.messages import Create
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.auto_number_actions import begin_numbers
from entities.standard.customer_rules import compose_addresses, convert_amounts, name_person
from entities.standard.sales.closing import closing_steps
from entities.standard.sales.customers import customer_steps
from entities.standard.sales.lists import list_steps
from entities.standard.sales.ordering import ordering_steps
from entities.standard.sales.pricing import pricing_steps
from entities.standard.sales.qualifying import qualifying_steps
from entities.standard.sales.units import unit_steps

_WITH_AMOUNTS: Final = (
    *("lead", "opportunity", "opportunityproduct", "opportunityclose", "competitor", "campaign", "list"),
    *("product", "productpricelevel", "quote", "quotedetail", "salesorder", "salesorderdetail"),
    *("invoice", "invoicedetail", "contract", "goal"),
)
_NUMBERED: Final = (
    "incident",
    "contract",
    "quote",
    "salesorder",
    "invoice",
    "campaign",
    "kbarticle",
    "knowledgearticle",
)
_WITH_ADDRESSES: Final = ("lead", "competitor")


def sales_steps() -> tuple[Step, ...]:
    """Return the steps of the tables of sales and service."""
    return (
        *closing_steps(),
        *qualifying_steps(),
        *ordering_steps(),
        *pricing_steps(),
        *customer_steps(),
        *list_steps(),
        *unit_steps(),
        *_computed(),
    )


def begin_numbering(context: ExecutionContext) -> None:
    """Let the numbers of a table's first record begin where those of Dataverse do."""
    message = context.message
    assert isinstance(message, Create)
    for column, _ in context.system.catalog.tables[message.table].autonumbers:
        if context.system.sequence(f"{message.table}.{column}") is None:
            begin_numbers(context.system, message.table, column)


def _computed() -> Iterator[Step]:
    """Yield the steps that complete records: full names, addresses as one text, amounts in the base currency."""
    for table in _NUMBERED:
        yield Step("Create", table, Stage.PRE_VALIDATION, begin_numbering)
    for message in ("Create", "Update"):
        yield Step(message, "lead", Stage.PRE_OPERATION, name_person)
        for table in _WITH_ADDRESSES:
            yield Step(message, table, Stage.PRE_OPERATION, compose_addresses)
        for table in _WITH_AMOUNTS:
            yield Step(message, table, Stage.PRE_OPERATION, convert_amounts)
