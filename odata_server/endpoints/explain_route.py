"""`GET /_talentverse/explain?request=…&as=…`: an explanation for whoever has the control key."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Blueprint, Response, request

from entities.errors import DataverseError
from odata_server.endpoints.control import control_refusal
from odata_server.endpoints.explain import SYSTEM, as_json, as_text, explain
from odata_server.endpoints.services import Services
from odata_server.render.errors import status_of, web_api_body

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"


def explain_routes(key: str, services: Services) -> Blueprint:
    """Return the route.

    Args:
        key: the control key that opens it.
        services: what the doors of the data have, over real environments.
    """
    blueprint = Blueprint("explain", __name__)

    @blueprint.get("/_talentverse/explain")
    def explained() -> Response | tuple[Response, int]:
        refusal = control_refusal(key)
        if refusal is not None:
            return refusal
        wanted = request.args
        try:
            found = explain(wanted.get("request", ""), wanted.get("as", SYSTEM), services, request.host_url.rstrip("/"))
        except DataverseError as error:
            return Response(web_api_body(error), status_of(error), content_type=_JSON)
        if wanted.get("format") == "text":
            return Response(as_text(found), content_type=_TEXT)
        return Response(orjson.dumps(as_json(found)), content_type=_JSON)

    return blueprint
