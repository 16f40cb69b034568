"""Customers of opportunities: the potential customer is the account, or the contact, that the opportunity names."""

from __future__ import annotations

from typing import Final

from entities.pipeline import ExecutionContext, Stage, Step
from entities.values import EntityReference

_COLUMN_OF: Final = {"account": "parentaccountid", "contact": "parentcontactid"}


def customer_steps() -> tuple[Step, ...]:
    """Return the steps of opportunities."""
    named = frozenset(("customerid", *_COLUMN_OF.values()))
    return (
        Step("Create", "opportunity", Stage.PRE_OPERATION, name_customer),
        Step("Update", "opportunity", Stage.PRE_OPERATION, name_customer, filtering=named),
    )


def name_customer(context: ExecutionContext) -> None:
    """Set the potential customer of an opportunity that names account or contact, and the other way round."""
    record, before = context.record, context.pre_image or {}
    customer = record.get("customerid")
    if isinstance(customer, EntityReference):
        record.setdefault(_COLUMN_OF[customer.table], customer)
        return
    if "customerid" in record or before.get("customerid") is not None:
        return
    for column in _COLUMN_OF.values():
        if isinstance(record.get(column), EntityReference):
            record["customerid"] = record[column]
            return
