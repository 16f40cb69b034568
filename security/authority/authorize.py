"""The authorization endpoint (RFC 6749 §4.1.1): a person signs in on a page, the application gets a code.

GET or POST with parameters       → the page, with a form that belongs to this browser (a cookie and a hidden field)
POST of that form, good password  → 303 to the redirect URI with `code`, or a page that posts it there
POST of that form, bad password   → the page again, saying so
parameters that cannot be met     → the redirect URI with `error`; without a good redirect URI a page, nowhere else
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from security.authority.authority import Authority, tenant_of
from security.authority.delegated_scopes import DelegatedScope, delegated_scope, scope_of_resource
from security.authority.errors import (
    AuthorityError,
    MalformedRequestError,
    MissingParameterError,
    UnknownApplicationError,
    UnknownTenantError,
)
from security.authority.exchange import Request, Response, form_parameters, query_parameters
from security.authority.grants.authorization_code import CHALLENGE_METHODS, challenge_of
from security.authority.grants.token_request import EndpointVersion
from security.authority.grants.user_tokens import digest_of
from security.authority.model import AppRegistration, AuthorizationCode, User
from security.authority.people import sign_in
from security.authority.redirects import RESPONSE_MODES, ReplyAddress, accepts_redirect
from security.authority.resources import check_resource
from security.authority.sign_in_errors import (
    ForgedSignInError,
    LoginRequiredError,
    RedirectMismatchError,
    SignInDeclinedError,
    UnsupportedResponseTypeError,
)
from security.authority.sign_in_page import page_headers, posting_page, refusal_page, sign_in_page

CODE_LIFETIME: Final = 600.0
"""Seconds until a code expires; RFC 6749 §4.1.2 recommends ten minutes at most."""
COOKIE: Final = "talentverse-sign-in"
_PATHS: Final[Mapping[EndpointVersion, str]] = MappingProxyType(
    {EndpointVersion.V1: "oauth2/authorize", EndpointVersion.V2: "oauth2/v2.0/authorize"}
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_KEPT: Final = (
    "client_id",
    "response_type",
    "redirect_uri",
    "response_mode",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of a browser: its parameters, and the text that binds the form to the browser."""

    request: Request
    version: EndpointVersion
    parameters: Mapping[str, str]
    token: str
    nonce: str


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an application asks for, checked."""

    application: AppRegistration
    reply: ReplyAddress
    scope: DelegatedScope
    challenge: str | None


def answer_authorize_v2(authority: Authority, request: Request) -> Response:
    """Answer `GET` and `POST /{tenant}/oauth2/v2.0/authorize`; refusals are pages or redirects."""
    return _answer(authority, request, EndpointVersion.V2)


def answer_authorize_v1(authority: Authority, request: Request) -> Response:
    """Answer `GET` and `POST /{tenant}/oauth2/authorize`, which names a `resource`."""
    return _answer(authority, request, EndpointVersion.V1)


def _answer(authority: Authority, request: Request, version: EndpointVersion) -> Response:
    nonce = authority.sources.new_secret()
    try:
        if tenant_of(authority, request.path["tenant"]) is None:
            raise UnknownTenantError(tenant=request.path["tenant"])
        parameters = form_parameters(request) if request.method == "POST" else query_parameters(request)
        token = _own_token(request) or authority.sources.new_secret()
        visit = _Visit(request, version, parameters, token, nonce)
        application = _application(authority, parameters)
        reply = _reply(application, parameters)
        _check_form(visit)
    except AuthorityError as error:
        return _refusal(authority, request, error, nonce)
    try:
        return _go_on(authority, visit, _wish(authority, visit, application, reply))
    except AuthorityError as error:
        return _sent(reply, {"error": error.error, "error_description": f"AADSTS{error.code}: {error}"}, nonce)


def _own_token(request: Request) -> str | None:
    """Return what the browser's cookie holds, so that forms in several windows work, if it can be one of ours."""
    token = request.cookies.get(COOKIE, "")
    return token if _TOKEN.fullmatch(token) else None


def _application(authority: Authority, parameters: Mapping[str, str]) -> AppRegistration:
    client_id = parameters.get("client_id", "")
    if not client_id:
        raise MissingParameterError(parameter="client_id")
    try:
        application = authority.registrations.get(UUID(client_id))
    except ValueError:
        application = None
    if application is None:
        raise UnknownApplicationError(application=client_id, tenant=authority.tenant.display_name)
    return application


def _reply(application: AppRegistration, parameters: Mapping[str, str]) -> ReplyAddress:
    """Return where the answer may go: nobody is sent to an address that is not the application's."""
    uri = parameters.get("redirect_uri", "")
    if not uri and len(application.redirect_uris) == 1:
        uri = application.redirect_uris[0]
    if not uri:
        raise MissingParameterError(parameter="redirect_uri")
    if not accepts_redirect(application, uri):
        raise RedirectMismatchError(uri=uri, application=application.client_id)
    mode = parameters.get("response_mode") or "query"
    if mode not in RESPONSE_MODES:
        raise MalformedRequestError(detail=f"The parameter 'response_mode' must be one of {', '.join(RESPONSE_MODES)}.")
    return ReplyAddress(uri, mode, parameters.get("state"))


def _check_form(visit: _Visit) -> None:
    """Accept an answer only with the text that this browser's cookie holds too (double submit)."""
    if "answer" not in visit.parameters:
        return
    cookie, given = _own_token(visit.request), visit.parameters.get("form_token", "")
    same = cookie is not None and hmac.compare_digest(cookie.encode("ascii"), given.encode("utf-8", "replace"))
    if visit.request.method != "POST" or not same:
        raise ForgedSignInError


def _wish(authority: Authority, visit: _Visit, application: AppRegistration, reply: ReplyAddress) -> _Wish:
    parameters = visit.parameters
    response_type = parameters.get("response_type", "")
    if not response_type:
        raise MissingParameterError(parameter="response_type")
    if response_type != "code":
        raise UnsupportedResponseTypeError(response_type=response_type)
    if parameters.get("prompt") == "none":
        raise LoginRequiredError
    scope = _scope(visit)
    check_resource(authority, scope.resource, origin=visit.request.origin)
    return _Wish(application, reply, scope, _challenge(parameters))


def _scope(visit: _Visit) -> DelegatedScope:
    name = "resource" if visit.version is EndpointVersion.V1 else "scope"
    value = visit.parameters.get(name, "").strip()
    if not value:
        raise MissingParameterError(parameter=name)
    return scope_of_resource(value) if visit.version is EndpointVersion.V1 else delegated_scope(value)


def _challenge(parameters: Mapping[str, str]) -> str | None:
    value, method = parameters.get("code_challenge"), parameters.get("code_challenge_method") or "plain"
    if method not in CHALLENGE_METHODS:
        raise MalformedRequestError(
            detail=f"The parameter 'code_challenge_method' must be one of {', '.join(CHALLENGE_METHODS)}."
        )
    return challenge_of(method, value) if value else None


def _go_on(authority: Authority, visit: _Visit, wish: _Wish) -> Response:
    parameters = visit.parameters
    if "answer" not in parameters:
        return _form(visit, wish, alert=None, username=parameters.get("login_hint", ""))
    if parameters["answer"] == "cancel":
        raise SignInDeclinedError
    username = parameters.get("username", "").strip()
    try:
        user = sign_in(authority, username, parameters.get("password", ""))
    except AuthorityError as error:
        return _form(visit, wish, alert=f"{error} (AADSTS{error.code})", username=username)
    return _sent(wish.reply, {"code": _new_code(authority, visit, wish, user)}, visit.nonce)


def _new_code(authority: Authority, visit: _Visit, wish: _Wish, user: User) -> str:
    clear, now = f"1.{authority.sources.new_secret()}{authority.sources.new_id().hex}", authority.sources.clock()
    code = AuthorizationCode(
        digest=digest_of(clear),
        family=authority.sources.new_id(),
        client_id=wish.application.client_id,
        user_id=user.object_id,
        redirect_uri=wish.reply.uri,
        scope=wish.scope.text,
        nonce=visit.parameters.get("nonce"),
        challenge=wish.challenge,
        expires=now + CODE_LIFETIME,
    )
    authority.grants.add_code(code, now=now)
    return clear


def _form(visit: _Visit, wish: _Wish, *, alert: str | None, username: str) -> Response:
    hidden = {name: visit.parameters[name] for name in _KEPT if name in visit.parameters}
    page = sign_in_page(
        wish.application.display_name,
        hidden | {"form_token": visit.token},
        username=username,
        alert=alert,
        nonce=visit.nonce,
        action=f"/{visit.request.path['tenant']}/{_PATHS[visit.version]}",
    )
    secure = "; Secure" if visit.request.origin.startswith("https:") else ""
    cookie = {"Set-Cookie": f"{COOKIE}={visit.token}; Path=/; HttpOnly; SameSite=Lax{secure}"}
    return Response(200 if alert is None else 400, None, page_headers(visit.nonce, wish.reply.uri) | cookie, page)


def _sent(reply: ReplyAddress, answer: Mapping[str, str], nonce: str) -> Response:
    """Send an answer onward; 303, so that a browser does not post the password there (RFC 9700 §4.12)."""
    if reply.mode == "form_post":
        page = posting_page(reply.uri, reply.parameters(answer), nonce)
        return Response(200, None, page_headers(nonce, reply.uri), page)
    headers = {"Location": reply.location(answer), "Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    return Response(303, None, headers | {"Referrer-Policy": "no-referrer"})


def _refusal(authority: Authority, request: Request, error: AuthorityError, nonce: str) -> Response:
    moment = datetime.fromtimestamp(authority.sources.clock(), UTC)
    facts = {
        "Correlation ID": str(request.correlation_id or authority.sources.new_id()),
        "Timestamp": moment.strftime("%Y-%m-%d %H:%M:%SZ"),
    }
    return Response(error.status, None, page_headers(nonce, None), refusal_page(error.code, str(error), facts, nonce))
