"""The simulator's own interface, `/_talentverse/…`, `/health`, and the doors that are not there yet.

Only the local control key of `environment.json` opens it, sent as `Authorization: TalentverseControl KEY`; a tenant's
token never does. It answers on loopback addresses only.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from flask import Blueprint, Response, jsonify, request

from entities.errors import DataverseError

_SCHEME: Final = "TalentverseControl"
_NOT_IMPLEMENTED: Final = 501
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Control:
    """What the control interface can do.

    Attributes:
        key: opens it.
        version: the product's version.
        reset: puts the data back to its first state.
        import_schema: brings a schema file into the environment, or only says what it would bring; returns the report.
    """

    key: str
    version: str
    reset: Callable[[], None]
    import_schema: Callable[[bytes, bool], Mapping[str, object]]


def control_routes(control: Control) -> Blueprint:
    """Return the routes of the control interface and of the health check."""
    blueprint = Blueprint("control", __name__)

    @blueprint.get("/health")
    def health() -> Response:
        return jsonify(status="ready", version=control.version)

    @blueprint.post("/_talentverse/reset")
    def reset() -> Response | tuple[Response, int]:
        refusal = control_refusal(control.key)
        if refusal is not None:
            return refusal
        control.reset()
        return jsonify(status="reset")

    @blueprint.post("/_talentverse/schema")
    def schema() -> Response | tuple[Response, int]:
        refusal = control_refusal(control.key)
        if refusal is not None:
            return refusal
        try:
            report = control.import_schema(request.get_data(cache=False), request.args.get("dry-run") == "true")
        except DataverseError as error:
            return jsonify(error={"code": error.code, "message": error.message}), _BAD_REQUEST
        return jsonify(report)

    @blueprint.get("/")
    @blueprint.route("/linkedin/", defaults={"rest": ""})
    @blueprint.route("/linkedin/<path:rest>")
    def absent(rest: str = "") -> tuple[Response, int]:  # noqa: ARG001 - every path below is absent alike
        text = (
            "The web pages and the LinkedIn sandbox are not available in this version of Talentverse. What is there: "
            "the Web API (/api/data/v9.2/), Human Resources (/data/) and the authority (/common/oauth2/v2.0/token)."
        )
        return jsonify(error={"code": "NotImplemented", "message": text}), _NOT_IMPLEMENTED

    return blueprint


def control_refusal(key: str) -> tuple[Response, int] | None:
    """Return the refusal of a request that may not control this server, None when it may."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme != _SCHEME or not hmac.compare_digest(given.strip().encode(), key.encode()):
        text = f"The control interface takes the control key of environment.json: Authorization: {_SCHEME} <key>."
        return jsonify(error={"code": "Unauthorized", "message": text}), _UNAUTHORIZED
    if not ip_address(request.remote_addr or "127.0.0.1").is_loopback:
        text = "The control interface answers on this machine only."
        return jsonify(error={"code": "Forbidden", "message": text}), _FORBIDDEN
    return None
