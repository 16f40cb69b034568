"""What products cost: amounts of the lines of opportunities, quotes, orders and invoices, and their totals.

Learn: "Price list items", "Discount lists", "How opportunity, quote, order and invoice totals are calculated".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Execute, Update
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, both, equals
from entities.standard.lookups import by_id, first, named_record
from entities.values import EntityReference, Record, Value

LINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "opportunityproduct": "opportunity",
        "quotedetail": "quote",
        "salesorderdetail": "salesorder",
        "invoicedetail": "invoice",
    }
)
"""Tables of lines, and the tables that these are lines of."""

_HUNDRED: Final = Decimal(100)
_NONE, _DETAIL_ERROR, _NO_PRICE_LIST, _NOT_IN_PRICE_LIST = 0, 1, 2, 11
"""Values of `qooi_pricingerrorcode`."""

_PRICED: Final = frozenset(
    (
        *("productid", "uomid", "quantity", "priceperunit", "ispriceoverridden", "isproductoverridden"),
        *("manualdiscountamount", "tax", "productdescription"),
    )
)
_TOTALED: Final = frozenset(("discountamount", "discountpercentage", "freightamount", "isrevenuesystemcalculated"))

_METHODS: Final[Mapping[int, tuple[str, Callable[[Decimal, Decimal], Decimal]]]] = MappingProxyType(
    {
        2: ("price", lambda price, percent: price * percent / _HUNDRED),
        3: ("currentcost", lambda cost, percent: cost * (1 + percent / _HUNDRED)),
        4: ("currentcost", lambda cost, percent: cost / (1 - percent / _HUNDRED)),
        5: ("standardcost", lambda cost, percent: cost * (1 + percent / _HUNDRED)),
        6: ("standardcost", lambda cost, percent: cost / (1 - percent / _HUNDRED)),
    }
)
"""Pricing methods that go by a percentage: the column of the product that it is of, and what becomes of it."""


_LOCKS: Final[Mapping[str, tuple[str, bool]]] = MappingProxyType(
    {
        "LockSalesOrderPricing": ("salesorder", True),
        "UnlockSalesOrderPricing": ("salesorder", False),
        "LockInvoicePricing": ("invoice", True),
        "UnlockInvoicePricing": ("invoice", False),
    }
)
"""Actions that keep prices from changing, or let them: the table, and whether its prices are locked then."""


def pricing_steps() -> tuple[Step, ...]:
    """Return the steps of lines and of what they are lines of, and the handlers of the actions on prices."""
    steps = [Step(message, table, Stage.MAIN, lock_prices) for message, (table, _) in _LOCKS.items()]
    steps.append(Step("CalculatePrice", None, Stage.MAIN, calculate_price))
    for line, header in LINES.items():
        steps += [
            Step("Create", line, Stage.PRE_OPERATION, complete_line),
            Step("Create", line, Stage.PRE_OPERATION, price_line),
            Step("Update", line, Stage.PRE_OPERATION, price_line, filtering=_PRICED),
            Step("Create", line, Stage.POST_OPERATION, total_lines),
            Step("Update", line, Stage.POST_OPERATION, total_lines, filtering=_PRICED),
            Step("Delete", line, Stage.POST_OPERATION, total_lines),
            Step("Update", header, Stage.PRE_OPERATION, total_header, filtering=_TOTALED),
        ]
    return tuple(steps)


def lock_prices(context: ExecutionContext) -> None:
    """Keep the prices of an order or invoice as they are, or let them follow the price list again."""
    assert context.reference is not None
    assert isinstance(context.message, Execute)
    _, is_locked = _LOCKS[context.message.name]
    context.system.execute(Update(context.reference, {"ispricelocked": is_locked}), context.caller)


def calculate_price(context: ExecutionContext) -> None:
    """Compute the totals of an opportunity, quote, order or invoice anew.

    Raises:
        InvalidArgument: no such record is named.
        RecordNotFound: there is none.
    """
    target = named_record(context.system, context.parameters["Target"], "Target")
    lines = [line for line, header in LINES.items() if header == target.table]
    if not lines:
        raise InvalidArgument(f"Prices of the table '{target.table}' are not calculated.")
    found = context.system.records(QueryExpression(lines[0], filter=equals(f"{target.table}id", target)))
    totals = _totals(by_id(context.system, target), found)
    context.system.execute_as(Update(target, totals), context.caller.user_id)


def complete_line(context: ExecutionContext) -> None:
    """Give a new line the owner and currency of what it is a line of, and the name of its product."""
    record, table = context.record, _table(context)
    header = record.get(f"{LINES[table]}id")
    if not isinstance(header, EntityReference):
        return
    stored = by_id(context.system, header, "ownerid", "transactioncurrencyid")
    for name in ("ownerid", "transactioncurrencyid"):
        if record.get(name) is None and stored.get(name) is not None:
            record[name] = stored[name]
    product = record.get("productid")
    called = record.get("productdescription")
    if isinstance(product, EntityReference):
        called = by_id(context.system, product, "name").get("name")
    if called is not None:
        record["productname"] = called
        if record.get(f"{table}name") is None:
            record[f"{table}name"] = called


def price_line(context: ExecutionContext) -> None:
    """Compute the amounts of a line: its price by the price list, unless it is overridden or the product written in."""
    line = {**(context.pre_image or {}), **context.record}
    changes: dict[str, Value] = {}
    if isinstance(line.get("productid"), EntityReference) and not line.get("isproductoverridden"):
        changes["pricingerrorcode"] = _NONE
        if not line.get("ispriceoverridden") and not _is_locked(context, line):
            changes |= _listed_price(context.system, line, LINES[_table(context)])
    line |= changes
    price, quantity = _amount(line, "priceperunit"), _amount(line, "quantity")
    base = (price - _amount(line, "volumediscountamount")) * quantity
    changes["baseamount"] = base
    changes["extendedamount"] = base - _amount(line, "manualdiscountamount") + _amount(line, "tax")
    context.record.update(changes)


def total_lines(context: ExecutionContext) -> None:
    """Add up the lines anew of what a line belongs to."""
    table = _table(context)
    line = {**(context.pre_image or {}), **context.record}
    header = line.get(f"{LINES[table]}id")
    if not isinstance(header, EntityReference):
        return
    key = context.system.catalog.tables[header.table].primary_id
    stored = first(context.system, header.table, equals(key, header.id))
    if stored is not None:
        lines = context.system.records(QueryExpression(table, filter=equals(key, header)))
        context.system.execute(Update(header, _totals(stored, lines)), context.caller)


def total_header(context: ExecutionContext) -> None:
    """Compute the totals anew where a discount or the freight changes."""
    header, reference = {**(context.pre_image or {}), **context.record}, context.reference
    if reference is None or header.get("totallineitemamount") is None or "totalamount" in context.record:
        return
    table = next(line for line, of in LINES.items() if of == reference.table)
    lines = context.system.records(QueryExpression(table, filter=equals(f"{reference.table}id", reference)))
    if lines:
        context.record.update(_totals(header, lines))


def _totals(header: Record, lines: Iterable[Record]) -> Record:
    found = tuple(lines)
    detail = sum((_amount(line, "extendedamount") - _amount(line, "tax") for line in found), Decimal(0))
    tax = sum((_amount(line, "tax") for line in found), Decimal(0))
    discount = _amount(header, "discountamount") + detail * _amount(header, "discountpercentage") / _HUNDRED
    total = detail - discount + _amount(header, "freightamount") + tax
    totals: dict[str, Value] = {
        "totallineitemamount": detail,
        "totallineitemdiscountamount": sum((_amount(line, "manualdiscountamount") for line in found), Decimal(0)),
        "totaldiscountamount": discount,
        "totalamountlessfreight": detail - discount,
        "totaltax": tax,
        "totalamount": total,
        "pricingerrorcode": _DETAIL_ERROR if any(line.get("pricingerrorcode") for line in found) else _NONE,
    }
    if header.get("isrevenuesystemcalculated"):
        totals["estimatedvalue"] = total
    return totals


def _listed_price(system: Operations, line: Record, header_table: str) -> Record:
    """Return the price per unit of a product by the price list, with the discount for its quantity."""
    header = line.get(f"{header_table}id")
    if not isinstance(header, EntityReference):
        return {"pricingerrorcode": _NO_PRICE_LIST}
    price_list = by_id(system, header, "pricelevelid").get("pricelevelid")
    if price_list is None:
        return {"pricingerrorcode": _NO_PRICE_LIST}
    wanted = both(equals("pricelevelid", price_list), equals("productid", line["productid"]))
    if line.get("uomid") is not None:
        wanted = both(wanted, equals("uomid", line["uomid"]))
    item = first(system, "productpricelevel", wanted)
    if item is None:
        return {"pricingerrorcode": _NOT_IN_PRICE_LIST}
    price = _price(system, item)
    discount = _volume_discount(system, item, price, _amount(line, "quantity"))
    return {"priceperunit": price, "volumediscountamount": discount, "uomid": line.get("uomid") or item.get("uomid")}


def _is_locked(context: ExecutionContext, line: Record) -> bool:
    """Tell whether the prices of what a line belongs to stay as they are; a new line has none yet."""
    header = line.get(f"{LINES[_table(context)]}id")
    if context.pre_image is None or not isinstance(header, EntityReference):
        return False
    if "ispricelocked" not in context.system.catalog.tables[header.table].by_name:
        return False
    return bool(by_id(context.system, header, "ispricelocked").get("ispricelocked"))


def _price(system: Operations, item: Record) -> Decimal:
    method = item.get("pricingmethodcode")
    if not isinstance(method, int) or method not in _METHODS:
        return _amount(item, "amount")
    product = item["productid"]
    assert isinstance(product, EntityReference)
    column, apply = _METHODS[method]
    return apply(_amount(by_id(system, product, column), column), _amount(item, "percentage"))


def _volume_discount(system: Operations, item: Record, price: Decimal, quantity: Decimal) -> Decimal:
    """Return the reduction per unit that a discount list has for a quantity."""
    discount_list = item.get("discounttypeid")
    if not isinstance(discount_list, EntityReference):
        return Decimal(0)
    by_amount = by_id(system, discount_list, "isamounttype").get("isamounttype")
    query = QueryExpression("discount", filter=equals("discounttypeid", discount_list))
    for row in system.records(query):
        if _amount(row, "lowquantity") <= quantity <= _amount(row, "highquantity"):
            return _amount(row, "amount") if by_amount else price * _amount(row, "percentage") / _HUNDRED
    return Decimal(0)


def _amount(record: Record, name: str) -> Decimal:
    value = record.get(name)
    return value if isinstance(value, Decimal) else Decimal(0)


def _table(context: ExecutionContext) -> str:
    """Return the table of the line that a message is about."""
    assert context.reference is not None
    return context.reference.table
