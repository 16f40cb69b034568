"""What a user or team may do with one record, right by right, with the filters that narrow every message."""

from __future__ import annotations

from dataclasses import replace

from entities.errors import AccessDenied
from entities.values import EntityReference
from odata_server.engine.row_checks import RowChecks
from odata_server.engine.rules import Rules
from security.principals import NOTHING_SHARED, depth_held
from security.privileges import RIGHT_NAMES
from security.row_access import row_access, shared_rows


def access_to(checks: RowChecks, rules: Rules, who: EntityReference, record: EntityReference) -> tuple[int, int]:
    """Return the flags of the rights that a user or team has on a record: by its roles, and by shares.

    Nobody without roles, or disabled, has any.

    Args:
        checks: the rows as the transaction sees them.
        rules: where principals are found.
        who: the user or team.
        record: the record, which exists.
    """
    try:
        principal = rules.principal(who)
    except AccessDenied:
        return 0, 0
    table = checks.catalog.tables[record.table]
    own = replace(principal, shared=NOTHING_SHARED)
    by_roles = by_shares = 0
    for right in RIGHT_NAMES:
        depth = depth_held(principal, table, right)
        if depth is None:
            continue
        if checks.is_among(record, row_access(own, table, right, depth).filter):
            by_roles |= right
        shared = shared_rows(principal, table, right)
        if shared is not None and checks.is_among(record, shared):
            by_shares |= right
    return by_roles, by_shares
