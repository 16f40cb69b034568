"""What an account has in open opportunities, with the accounts below it: two rollup columns.

Learn: "account table/entity reference", OpenDeals, OpenRevenue.
"""

from __future__ import annotations

from entities.metadata.columns import Column, Rollup, RollupCondition
from entities.metadata.declare import SERVER_SET, integer, money, rollup

_OPEN = (RollupCondition("statecode", "eq", ("0",)),)


def open_deals() -> tuple[Column, ...]:
    """Declare how many opportunities of an account are open, and how much revenue they may bring."""
    number = Rollup("COUNT", "opportunity", "parentaccountid", "", _OPEN, "parentaccountid")
    revenue = Rollup("SUM", "opportunity", "parentaccountid", "estimatedvalue", _OPEN, "parentaccountid")
    return (
        *rollup(integer("OpenDeals", "Open Deals"), number),
        *rollup(money("OpenRevenue", "Open Revenue"), revenue),
        money("OpenRevenue_Base", "Open Revenue (Base)", precision=4, **SERVER_SET),
    )
