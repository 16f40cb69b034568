"""Customers: an opportunity's is the account or contact that it names; every record tells which of both it is."""

from __future__ import annotations

from typing import Final

from entities.pipeline import ExecutionContext, Stage, Step
from entities.values import EntityReference, Record, Value

_COLUMN_OF: Final = {"account": "parentaccountid", "contact": "parentcontactid"}
_TABLES: Final = ("lead", "quote", "salesorder", "invoice", "incident", "contract", "contractdetail")


def customer_steps() -> tuple[Step, ...]:
    """Return the steps of the records that have a customer."""
    named = frozenset(("customerid", *_COLUMN_OF.values()))
    return (
        Step("Create", "opportunity", Stage.PRE_OPERATION, name_customer),
        Step("Update", "opportunity", Stage.PRE_OPERATION, name_customer, filtering=named),
        *(Step("Create", table, Stage.PRE_OPERATION, split_customer) for table in _TABLES),
        *(
            Step("Update", table, Stage.PRE_OPERATION, split_customer, filtering=frozenset({"customerid"}))
            for table in _TABLES
        ),
    )


def split_customer(context: ExecutionContext) -> None:
    """Set the columns that tell the customer as an account, or as a contact (Learn: AccountId, ContactId)."""
    if "customerid" in context.record:
        customer = context.record["customerid"]
        for table in _COLUMN_OF:
            is_one = isinstance(customer, EntityReference) and customer.table == table
            context.record[f"{table}id"] = customer if is_one else None


def name_customer(context: ExecutionContext) -> None:
    """Set the potential customer of an opportunity that names account or contact, and the other way round."""
    _name(context.record, context.pre_image or {})
    split_customer(context)


def _name(record: dict[str, Value], before: Record) -> None:
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
