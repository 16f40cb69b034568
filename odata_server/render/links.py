"""Absolute URLs, built from the scheme and host of the request (Learn: "Compose HTTP requests and handle errors")."""

from __future__ import annotations

from urllib.parse import quote

from entities.values import Guid


def service_root(scheme: str, host: str, version: str) -> str:
    """Return the root of the Web API, without a final slash.

    Args:
        scheme: `https` or `http`.
        host: host with port, as the request named it.
        version: the request's own version segment (`v9.2`).
    """
    return f"{scheme}://{host}/api/data/{version}"


def finance_root(scheme: str, host: str) -> str:
    """Return the root of the finance-and-operations service, without a final slash."""
    return f"{scheme}://{host}/data"


def entity_id(root: str, entity_set: str, record_id: Guid) -> str:
    """Return the canonical URL of a record."""
    return f"{root}/{entity_set}({record_id})"


def natural_key_url(root: str, entity_set: str, values: tuple[tuple[str, str], ...]) -> str:
    """Return the URL of a record by natural key.

    Args:
        root: the service root.
        entity_set: the entity set's name.
        values: property names and OData literals, in key order.
    """
    inner = ",".join(f"{name}={quote(literal, safe=chr(39))}" for name, literal in values)
    return f"{root}/{entity_set}({inner})"
