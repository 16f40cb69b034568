"""From the opportunity to the invoice: quotes are won, closed and revised, orders fulfilled, one made of the other.

Learn: "WinQuote Action", "CloseQuote Action", "ReviseQuote Action", "ConvertQuoteToSalesOrder Action" and their kin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Create, Execute, Written
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.sales.close_activities import (
    Closing,
    change,
    make_activity,
    new_state,
    opened,
    status_reason,
    stored_record,
)
from entities.standard.sales.pricing import LINES
from entities.values import EntityReference, Guid, Record, Value

_DRAFT, _ACTIVE, _WON, _CLOSED = range(4)
_REVISION: Final = 776_160_001
"""How a quote was made that revises another one."""

_NO_QUOTE: Final = ("0x80040203", "The quote close activity must name the quote.")
_NO_ORDER: Final = ("0x80040203", "The order close activity must name the order.")
_QUOTE_STATE: Final = ("0x80040203", "The quote cannot be closed because it is not active.")
_ORDER_STATE: Final = ("0x80040203", "The order cannot be closed because it is neither active nor submitted.")
_OPEN_ORDERS: Final = frozenset((0, 1))
_STATES: Final = frozenset(("statecode", "statuscode"))

CLOSINGS: Final = (
    Closing("WinQuote", "quote", _WON, "quoteclose", "QuoteClose", _NO_QUOTE, _QUOTE_STATE, frozenset((_ACTIVE,))),
    Closing("CloseQuote", "quote", _CLOSED, "quoteclose", "QuoteClose", _NO_QUOTE, _QUOTE_STATE, frozenset((_ACTIVE,))),
    Closing("FulfillSalesOrder", "salesorder", 3, "orderclose", "OrderClose", _NO_ORDER, _ORDER_STATE, _OPEN_ORDERS),
    Closing("CancelSalesOrder", "salesorder", 2, "orderclose", "OrderClose", _NO_ORDER, _ORDER_STATE, _OPEN_ORDERS),
)
_BY_MESSAGE: Final[Mapping[str, Closing]] = MappingProxyType({one.message: one for one in CLOSINGS})


@dataclass(frozen=True, slots=True)
class Conversion:
    """A record that is made of another one, with its lines.

    Attributes:
        message: the name of the action.
        parameter: the parameter that names the other record, by its id.
        source: the table of the other record.
        target: the table of the new one.
    """

    message: str
    parameter: str
    source: str
    target: str


CONVERSIONS: Final = (
    Conversion("GenerateQuoteFromOpportunity", "OpportunityId", "opportunity", "quote"),
    Conversion("GenerateSalesOrderFromOpportunity", "OpportunityId", "opportunity", "salesorder"),
    Conversion("GenerateInvoiceFromOpportunity", "OpportunityId", "opportunity", "invoice"),
    Conversion("ConvertSalesOrderToInvoice", "SalesOrderId", "salesorder", "invoice"),
)
_TO_ORDER: Final = Conversion("ConvertQuoteToSalesOrder", "QuoteId", "quote", "salesorder")
_REVISED: Final = Conversion("ReviseQuote", "QuoteId", "quote", "quote")

_LINES_OF: Final[Mapping[str, str]] = MappingProxyType({header: line for line, header in LINES.items()})
_OWN: Final = frozenset(
    (
        *("statecode", "statuscode", "quotenumber", "ordernumber", "invoicenumber", "quotecreationmethod"),
        *("overriddencreatedon", "importsequencenumber", "processid", "stageid", "traversedpath", "emailaddress"),
        *("timezoneruleversionnumber", "utcconversiontimezonecode", "sequencenumber", "parentbundleid"),
        *("parentbundleidref", "lastonholdtime", "prioritycode"),
    )
)
"""Columns that tables have in common and whose values are those of one record."""


def ordering_steps() -> tuple[Step, ...]:
    """Return the handlers of the actions, and the steps of quotes."""
    return (
        *(Step(one.message, None, Stage.MAIN, close) for one in CLOSINGS),
        *(Step(one.message, None, Stage.MAIN, partial(convert, one)) for one in CONVERSIONS),
        Step(_TO_ORDER.message, None, Stage.MAIN, convert_to_order),
        Step(_REVISED.message, None, Stage.MAIN, revise),
        Step("Create", "quote", Stage.PRE_OPERATION, number_revision),
        Step("Update", "quote", Stage.PRE_OPERATION, check_activation, filtering=_STATES),
    )


def close(context: ExecutionContext) -> None:
    """Win or close an active quote, fulfill or cancel an order that is active or submitted.

    Raises:
        InvalidArgument: no record is named, its state is another one, or the status is none of the new state.
        RecordNotFound: there is no such record.
    """
    closing = _BY_MESSAGE[_message(context)]
    activity, record, stored = opened(context, closing)
    reason = status_reason(context.system.catalog.tables[closing.table], closing.state, context.parameters["Status"])
    make_activity(context, closing, activity, _numbers(stored))
    _set_state(context, record, closing.state, reason)


def convert(conversion: Conversion, context: ExecutionContext) -> None:
    """Make a record of another one, and answer with it.

    Raises:
        RecordNotFound: there is no such record.
    """
    source, stored = _source(context, conversion)
    context.result = {"value": _made(context, conversion, source, stored, {f"{source.table}id": source})}


def convert_to_order(context: ExecutionContext) -> None:
    """Make an order of a quote, which is won with it where it is active yet.

    Raises:
        InvalidArgument: the quote is neither active nor won, or the status is none of a won one (0x80048408).
        RecordNotFound: there is no such quote.
    """
    quote, stored = _source(context, _TO_ORDER)
    parameters = context.parameters
    if stored.get("statecode") not in {_ACTIVE, _WON}:
        raise InvalidArgument("The quote cannot be converted to an order because it is not active.")
    if stored.get("statecode") == _ACTIVE:
        given = parameters.get("QuoteCloseStatus")
        reason = status_reason(context.system.catalog.tables["quote"], _WON, -1 if given is None else given)
        activity: dict[str, Value] = {
            "quoteid": quote,
            "subject": str(parameters.get("QuoteCloseSubject") or ""),
            "description": str(parameters.get("QuoteCloseDescription") or "") or None,
        }
        make_activity(context, _BY_MESSAGE["WinQuote"], activity, _numbers(stored))
        _set_state(context, quote, _WON, reason)
    context.result = {"value": _made(context, _TO_ORDER, quote, stored, {"quoteid": quote})}


def revise(context: ExecutionContext) -> None:
    """Make a draft that revises a closed quote: it has the same number, and the next revision.

    Raises:
        InvalidArgument: a quote of that number is a draft or active (0x80048d00).
        RecordNotFound: there is no such quote.
    """
    quote, stored = _source(context, _REVISED)
    query = QueryExpression("quote", filter=equals("quotenumber", stored.get("quotenumber")))
    revisions = context.system.records(query)
    if any(one.get("statecode") in {_DRAFT, _ACTIVE} for one in revisions):
        raise InvalidArgument(
            "Quote cannot be revised as there already exists another quote in Draft/Active state and with same quote"
            " number.",
            code="0x80048d00",
        )
    newest = max(number for one in revisions if isinstance(number := one.get("revisionnumber"), int))
    more: Record = {
        "quotenumber": stored.get("quotenumber"),
        "revisionnumber": newest + 1,
        "quotecreationmethod": _REVISION,
    }
    context.result = {"value": _made(context, _REVISED, quote, stored, more)}


def number_revision(context: ExecutionContext) -> None:
    """Let the revisions of a quote begin with 0; that of another one comes with the action that makes it."""
    if context.system.depth == 1 or context.record.get("revisionnumber") is None:
        context.record["revisionnumber"] = 0


def check_activation(context: ExecutionContext) -> None:
    """Refuse to activate a quote that is no draft.

    Raises:
        InvalidArgument: it is no draft (0x80100003).
    """
    before = context.pre_image.get("statecode") if context.pre_image else _DRAFT
    if new_state(context) == _ACTIVE and before != _DRAFT:
        raise InvalidArgument(
            "The quote cannot be activated because it is not in draft state.",
            code="0x80100003",
        )


def _numbers(stored: Record) -> Record:
    """Return what the activity says of a quote or order."""
    if "ordernumber" in stored:
        return {"ordernumber": stored["ordernumber"]}
    return {"quotenumber": stored.get("quotenumber"), "revision": stored.get("revisionnumber")}


def _message(context: ExecutionContext) -> str:
    assert isinstance(context.message, Execute)
    return context.message.name


def _source(context: ExecutionContext, conversion: Conversion) -> tuple[EntityReference, Record]:
    source = EntityReference(conversion.source, Guid(str(context.parameters[conversion.parameter])))
    return source, stored_record(context, source)


def _made(
    context: ExecutionContext, conversion: Conversion, source: EntityReference, stored: Record, more: Record
) -> EntityReference:
    """Make the record as the caller, then its lines."""
    header = _copied(context, conversion.source, conversion.target, stored, more)
    of, to = _LINES_OF[conversion.source], _LINES_OF[conversion.target]
    query = QueryExpression(of, filter=equals(f"{conversion.source}id", source))
    for line in context.system.records(query):
        links: dict[str, Value] = {f"{conversion.target}id": header}
        if f"{of}id" in context.system.catalog.tables[to].by_name and of != to:
            links[f"{of}id"] = EntityReference(of, Guid(str(line[f"{of}id"])))
        _copied(context, of, to, line, links)
    return header


def _copied(context: ExecutionContext, source: str, target: str, stored: Record, more: Record) -> EntityReference:
    tables = context.system.catalog.tables
    values = {name: stored[name] for name in _common(tables[source], tables[target]) if stored.get(name) is not None}
    written = context.system.execute_as(Create(target, {**values, **more}), context.caller.user_id)
    assert isinstance(written, Written)
    return written.reference


def _common(source: Table, target: Table) -> tuple[str, ...]:
    """Return the columns that two tables have in common and whose values a new record takes over."""
    keys = {source.primary_id, target.primary_id, _header_id(source), _header_id(target)}
    return tuple(
        name
        for name, column in target.by_name.items()
        if column.valid_for_create and name in source.by_name and name not in _OWN and name not in keys
        if type(source.by_name[name].type) is type(column.type)
    )


def _header_id(table: Table) -> str:
    return f"{LINES.get(table.logical_name, table.logical_name)}id"


def _set_state(context: ExecutionContext, record: EntityReference, state: int, reason: int) -> None:
    changes: dict[str, Value] = {"statecode": state, "statuscode": reason}
    if record.table == "quote":
        changes["closedon"] = context.system.now.date()
    elif state == _BY_MESSAGE["FulfillSalesOrder"].state:
        changes["datefulfilled"] = context.system.now
    change(context, record, changes)
