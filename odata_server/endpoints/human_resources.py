"""Human Resources' `/data`: the finance-and-operations dialect of OData v4 over the same engine and binder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final, assert_never

from entities.errors import (
    AccessDenied,
    AuthenticationFailed,
    DataverseError,
    MalformedRequest,
    MethodNotAllowed,
    NotSupported,
    TooManyRequests,
)
from entities.human_resources.actions import ACTIONS_BY_NAME
from entities.messages import Delete, Execute, Executed, Retrieve, RetrieveMultiple, Rows, Update, Written
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import Expansion, Page, QueryExpression
from entities.values import EntityReference, Guid, Value
from odata_server.bind.dialect import FINANCE
from odata_server.bind.json_body import read_object
from odata_server.bind.paths import Names, not_found, resolve
from odata_server.bind.payload import bind_new, bind_record
from odata_server.bind.query import BoundRows, bind_count, bind_row, bind_rows, narrowed, of_company
from odata_server.bind.resource import (
    Collection,
    Counted,
    Many,
    Operation,
    References,
    Related,
    RelatedMember,
    RelatedRow,
    Resource,
    Row,
    RowProperty,
    RowReferences,
    ServiceRoot,
)
from odata_server.edm.naming import finance_property, key_columns
from odata_server.edm.preferences import Preferences, parse_preferences
from odata_server.endpoints.batch import Answering, Door, answer_batch
from odata_server.endpoints.call import Call
from odata_server.endpoints.compositions import with_company
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.finance_tags import version_of_tag
from odata_server.endpoints.invocation_body import body_parameters, result_json
from odata_server.endpoints.navigation import located, of_parent, referenced
from odata_server.endpoints.protection.visits import answered_and_counted
from odata_server.endpoints.reads import counted, linked, next_link, row_bytes
from odata_server.endpoints.responses import advice
from odata_server.endpoints.services import Organization, Services
from odata_server.render import envelope
from odata_server.render.errors import finance_body, finance_status_of
from odata_server.render.links import natural_key_url
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import QueryOptions
from odata_server.syntax.tokens import SyntaxRefused
from security.authenticate import claims_of
from security.principals import Principal

_ROOT: Final = re.compile(r"/data(?:/(.*))?\Z", re.DOTALL)
_TOO_MANY: Final = "Too many requests"
_HEADERS: Final = (("OData-Version", "4.0"), ("Cache-Control", "no-cache"))
_JSON: Final = (("Content-Type", "application/json; odata.metadata=minimal"), *_HEADERS)


class UnknownCaller(AuthenticationFailed):
    """The token is good, but its bearer stands for no user of Human Resources (R-160)."""


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer one request to `/data`."""
    answer, _ = answered_and_counted(
        services.gates.finance,
        services.now,
        lambda: _principal(request, services),
        lambda known: _outcome(request, services, known),
    )
    return answer


def _outcome(request: ODataRequest, services: Services, caller: Callable[[], Principal]) -> ODataResponse:
    """Answer a request of a caller, also when it is refused."""
    try:
        # One look at the stamp for both: rights and definitions are those of the same moment.
        catalog = services.human_resources.catalog
        return _answer(_call(request, services, caller(), parse_preferences(request.header("prefer")), catalog))
    except SyntaxRefused as error:
        return _refused(MalformedRequest(str(error)), request, services)
    except DataverseError as error:
        return _refused(error, request, services)


def _refused(error: DataverseError, request: ODataRequest, services: Services) -> ODataResponse:
    extra = advice(error)
    if isinstance(error, TooManyRequests):
        error = TooManyRequests(_TOO_MANY, retry_after=error.retry_after)
    if isinstance(error, AuthenticationFailed):
        value = f'Bearer authorization_uri="{request.origin}/{services.tenant_id}/oauth2/authorize"'
        extra = (("WWW-Authenticate", value),)
    return ODataResponse(finance_status_of(error), (*_JSON, *extra), finance_body(error))


def _principal(request: ODataRequest, services: Services) -> Principal:
    """Return the Human Resources user that the token's bearer runs as.

    Raises:
        AuthenticationFailed: no good token, or no user for it.
    """
    claims = claims_of(
        request.headers.get("authorization"),
        services.validator,
        audiences=services.finance_audiences,
        now=services.now(),
    )
    directory = services.human_resources.members
    object_id = Guid(str(claims.object_id))
    try:
        if claims.is_app:
            return directory.application_user(Guid(str(claims.app_id)), object_id)
        return directory.user(object_id, claims.user_principal_name)
    except AccessDenied as error:
        raise UnknownCaller(error.message) from error


def _call(
    request: ODataRequest, services: Services, principal: Principal, preferences: Preferences, catalog: Catalog
) -> Call:
    found = _ROOT.match(request.path)
    if found is None:
        raise not_found(request.path.strip("/").rpartition("/")[2])
    organization = services.human_resources
    root, path = f"{request.origin}/data", (found[1] or "").removesuffix("/")
    return Call(request, services, organization, catalog, principal, preferences, FINANCE, root, path)


def _answer(call: Call) -> ODataResponse:
    if call.path in {"", "$metadata"}:
        return call.services.finance_metadata(call.request, tuple(filter(None, (call.path,))), call.read_metadata)
    if call.path == "$batch":
        return _batch(call)
    options = call.options()
    aliases = {assignment.name: assignment.value for assignment in options.aliases}
    return _dispatch(call, resolve(parse_path(call.path), Names(call.catalog, FINANCE, aliases)), options)


def _batch(call: Call) -> ODataResponse:
    def answering(organization: Organization) -> Answering:
        services = call.services
        if organization is not services.human_resources:
            services = replace(services, human_resources=organization)
        return lambda request: _outcome(request, services, lambda: call.principal)

    def refusing(error: DataverseError, request: ODataRequest) -> ODataResponse:
        return _refused(error, request, call.services)

    answer = answer_batch(call, Door(answering, refusing))
    return replace(answer, headers=(*answer.headers, *_HEADERS))


def _dispatch(call: Call, resource: Resource, options: QueryOptions) -> ODataResponse:
    match resource:
        case Collection():
            return _collection(call, resource, options)
        case Row():
            return _row(call, resource, options)
        case Related() if call.request.method == "GET":
            return _read_collection(call, resource, options)
        case RelatedRow() | RelatedMember() if call.request.method == "GET":
            return _read_related_row(call, resource, options)
        case Counted(rows=rows) if call.request.method == "GET":
            return _read_count(call, rows, options)
        case Operation() if call.request.method == "POST":
            return _invoke(call, resource)
        case RowProperty() | References() | RowReferences():
            raise NotSupported("Paths to properties and references are not supported on /data yet.")
        case ServiceRoot() | Counted() | Operation() | Related() | RelatedRow() | RelatedMember():
            raise _wrong_method(call)
        case _:
            assert_never(resource)


def _collection(call: Call, rows: Collection, options: QueryOptions) -> ODataResponse:
    match call.request.method:
        case "GET":
            return _read_collection(call, rows, options)
        case "POST":
            return _create(call, rows.table, options)
        case _:
            raise _wrong_method(call)


def _row(call: Call, row: Row, options: QueryOptions) -> ODataResponse:
    match call.request.method:
        case "GET":
            return _read_row(call, row, options)
        case "PATCH":
            return _change(call, row)
        case "DELETE":
            call.execute(Delete(row.target, version_of_tag(call.request.header("if-match"))))
            return ODataResponse(204, _HEADERS)
        case _:
            raise _wrong_method(call)


def _wrong_method(call: Call) -> MethodNotAllowed:
    return MethodNotAllowed(f"The requested resource does not support http method '{call.request.method}'.")


def _crosses_companies(options: QueryOptions) -> bool:
    return any(o.name.lower() == "cross-company" and (o.value or "").lower() == "true" for o in options.custom)


def _of_companies(call: Call, query: QueryExpression, options: QueryOptions) -> QueryExpression:
    """Return a query narrowed, expanded records too, to the companies that a request is about."""
    if _crosses_companies(options):
        return query
    company = call.services.default_company(call.principal)
    own = narrowed(query, of_company(call.catalog.tables[query.table], company))
    return replace(own, expansions=_expanded_of_companies(call, query.expansions, options))


def _expanded_of_companies(
    call: Call, expansions: tuple[Expansion, ...], options: QueryOptions
) -> tuple[Expansion, ...]:
    return tuple(replace(found, query=_of_companies(call, found.query, options)) for found in expansions)


def _read_collection(call: Call, rows: Many, options: QueryOptions) -> ODataResponse:
    """Answer `GET /data/Set` and `GET /data/Set(key)/Collection`.

    Shown are rows of the caller's company and rows without one, those of all companies with `cross-company=true`.
    """
    request, table = call.request, rows.table
    key = (call.catalog.version, call.dialect.style, table.logical_name, request.query, request.header("prefer"))
    bound = call.services.rows.get(key)
    if bound is None:
        bound = bind_rows(table, options, call.reading())
        call.services.rows.put(key, bound)
    query = _of_companies(call, bound.query, options)
    bound = replace(bound, query=of_parent(call, query, rows) if isinstance(rows, Related) else query)
    return _skipped(call, bound, table) if bound.skip else _page(call, bound, table)


def _page(call: Call, bound: BoundRows, table: Table) -> ODataResponse:
    found = call.read(RetrieveMultiple(bound.query), bound.shape)
    return _rows(call, bound, table, found, next_link(call, bound, found))


def _skipped(call: Call, bound: BoundRows, table: Table) -> ODataResponse:
    """Answer a query with `$skip`: as the query form has no offset, the page begins behind the rows to skip."""
    asked = bound.query.top if bound.query.top is not None else FINANCE.page_size
    columns = (table.primary_id,)
    before = replace(bound.query, columns=columns, expansions=(), top=None, page=Page(bound.skip))
    skipped = call.read(RetrieveMultiple(before))
    if skipped.next is None or not asked:
        return _rows(call, bound, table, replace(skipped, records=()), None)
    query = replace(bound.query, top=None, page=Page(asked, skipped.next), count=False)
    found = call.read(RetrieveMultiple(query), bound.shape)
    is_last = bound.query.top is not None or found.next is None
    link = None if is_last else linked(call, f"$skip={bound.skip + asked}", frozenset({"$skip"}))
    return _rows(call, bound, table, replace(found, total=skipped.total), link)


def _rows(call: Call, bound: BoundRows, table: Table, found: Rows, link: str | None) -> ODataResponse:
    totals = envelope.Totals(bound.counts, total=found.total)
    rows = row_bytes(found, bound.shape, table.primary_id)
    body = envelope.collection(call.context(bound.fragment), rows, totals=totals, next_link=link)
    return ODataResponse(200, _JSON, body)


def _read_count(call: Call, rows: Many, options: QueryOptions) -> ODataResponse:
    query = _of_companies(call, bind_count(rows.table, options, call.reading()), options)
    if isinstance(rows, Related):
        query = of_parent(call, query, rows)
    return ODataResponse(200, (("Content-Type", "text/plain"), *_HEADERS), str(counted(call, query)).encode())


def _read_related_row(call: Call, row: RelatedRow | RelatedMember, options: QueryOptions) -> ODataResponse:
    """Answer `GET /data/Set(key)/Lookup`, 204 where there is no row, and `GET /data/Set(key)/Collection(key)`."""
    if isinstance(row, RelatedRow) and referenced(call, row) is None:
        return ODataResponse(204, _HEADERS)
    return _read_row(call, located(call, row), options)


def _read_row(call: Call, row: Row, options: QueryOptions) -> ODataResponse:
    bound = bind_row(row.table, options, call.reading())
    expansions = _expanded_of_companies(call, bound.expansions, options)
    found = call.read(Retrieve(row.target, bound.columns, expansions=expansions), bound.shape)
    body = envelope.single(call.context(bound.fragment), row_bytes(found, bound.shape, row.table.primary_id))
    return ODataResponse(200, _JSON, body)


def _create(call: Call, table: Table, options: QueryOptions) -> ODataResponse:
    """Answer `POST /data/Set`: 201 with the row and its URL; the company is the caller's unless the body names one.

    Rows that are parts of the new one may come with it.
    """
    members = read_object(call.request.body, table.entity_set_name)
    new = with_company(
        bind_new(members, table, call.payload()), call.catalog, call.services.default_company(call.principal)
    )
    bound = bind_row(table, options, call.reading())
    written = call.execute(new)
    assert isinstance(written, Written)
    expansions = _expanded_of_companies(call, bound.expansions, options)
    found = call.read(Retrieve(written.reference, bound.columns, expansions=expansions), bound.shape)
    body = envelope.single(call.context(bound.fragment), row_bytes(found, bound.shape, table.primary_id))
    location = _location(call, table, written.reference)
    return ODataResponse(201, (*_JSON, ("Location", location)), body)


def _location(call: Call, table: Table, reference: EntityReference) -> str:
    """Return a record's URL by natural key."""
    names = key_columns(table)
    record = call.read(Retrieve(reference, names)).records[0]
    literals = tuple((finance_property(table.by_name[name]), _literal(record.get(name))) for name in names)
    return natural_key_url(call.root, table.entity_set_name, literals)


def _literal(value: Value) -> str:
    """Return a key value as it stands in a URL."""
    if isinstance(value, int | Decimal):
        return str(value)
    doubled = "" if value is None else str(value).replace("'", "''")
    return f"'{doubled}'"


def _change(call: Call, row: Row) -> ODataResponse:
    """Answer `PATCH /data/Set(key)`: an update, never a create."""
    members = read_object(call.request.body, row.table.entity_set_name)
    record = bind_record(members, row.table, call.payload(), creates=False, updates=True)
    call.execute(Update(row.target, record, version_of_tag(call.request.header("if-match"))))
    return ODataResponse(204, _HEADERS)


def _invoke(call: Call, operation: Operation) -> ODataResponse:
    """Answer an action bound to a record."""
    action = ACTIONS_BY_NAME.get(operation.name)
    bound = operation.bound
    if action is None or bound is None or action.table != bound.table.logical_name:
        raise not_found(f"{FINANCE.namespace}.{operation.name}")
    if isinstance(bound, Collection | Related):
        raise MalformedRequest(f"The action '{operation.name}' is bound to one record, not to a collection.")
    parameters = body_parameters(call, operation.name)
    unknown = set(parameters) - {parameter.name for parameter in action.parameters}
    if unknown:
        raise MalformedRequest(f"The action '{operation.name}' has no parameter '{min(unknown)}'.")
    answer = call.execute(Execute(operation.name, parameters, located(call, bound).target))
    if not isinstance(answer, Executed):
        return ODataResponse(204, _HEADERS)
    return ODataResponse(200, _JSON, result_json(answer.result))
