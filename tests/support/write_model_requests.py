"""The writes of the model as requests of the Web API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from batches import Asked
from write_model import IDS, LOOKUPS
from write_model_writes import Create, Delete, Link, Many, New, Patch, SetValue, Target, Write

_TYPES = {"gadgets": "gadget", "accounts": "account", "contacts": "contact"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    body: Any = None
    if_match: str = ""
    if_none_match: str = ""

    def part(self, content_id: str) -> Asked:
        """Return it as a request of a batch."""
        pairs = (("If-Match", self.if_match), ("If-None-Match", self.if_none_match))
        headers = {name: value for name, value in pairs if value}
        return Asked(self.method, self.path.removeprefix("/"), self.body, content_id, headers)


def request_of(write: Write) -> Request:
    """Return the request that asks for a write."""
    match write:
        case Create(new):
            return Request("POST", f"/{new.set}", body_of(new))
        case Patch(target, new, condition):
            return _conditional(condition, "PATCH", url_of(target), body_of(new))
        case SetValue(target, column, None, condition):
            return _conditional(condition, "DELETE", f"{url_of(target)}/{column}")
        case SetValue(target, column, value, condition):
            return _conditional(condition, "PUT", f"{url_of(target)}/{column}", {"value": value})
        case Delete(target, condition):
            return _conditional(condition, "DELETE", url_of(target))
        case Link():
            return _reference(write)
        case Many(kind, set_, records):
            typed = {"@odata.type": f"Microsoft.Dynamics.CRM.{_TYPES[set_]}"}
            targets = [{**typed, **body_of(record)} for record in records]
            return Request("POST", f"/{set_}/Microsoft.Dynamics.CRM.{kind}", {"Targets": targets})


def _conditional(condition: str, method: str, path: str, body: Any = None) -> Request:
    if condition == "new":
        return Request(method, path, body, if_none_match="*")
    if condition.startswith("!"):
        return Request(method, path, body, if_none_match=condition[1:])
    return Request(method, path, body, condition)


def _reference(link: Link) -> Request:
    where = f"{url_of(link.target)}/{link.navigation}"
    other = None if link.other is None else url_of(link.other)
    single = link.navigation in LOOKUPS
    if link.joins:
        return _conditional(link.condition, "PUT" if single else "POST", f"{where}/$ref", {"@odata.id": other})
    if single or other is None:
        return _conditional(link.condition, "DELETE", f"{where}/$ref")
    return _conditional(link.condition, "DELETE", f"{where}/$ref?$id={other}")


def url_of(target: Target) -> str:
    """Return the URL of a record."""
    if target.made_by is not None:
        return f"${target.made_by}"
    if target.id is not None:
        return f"/{target.set}({target.id})"
    return f"/{target.set}({','.join(f'{name}={_literal(value)}' for name, value in target.key)})"


def _literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def body_of(new: New) -> dict[str, Any]:
    """Return a record as JSON."""
    body = dict(new.values)
    if new.id is not None:
        body[IDS[new.set]] = new.id
    for navigation, target in new.lookups.items():
        body[f"{navigation}@odata.bind"] = None if target is None else url_of(target)
    for navigation, records in new.made.items():
        made = [body_of(record) for record in records]
        body[navigation] = made[0] if new.set == "gadgets" and navigation in LOOKUPS else made
    for navigation, targets in new.bound.items():
        body[f"{navigation}@odata.bind"] = [url_of(target) for target in targets]
    return body
