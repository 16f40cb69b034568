"""The decision about a message: privileges by table, rows by ownership and depth, texts word for word."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entities.errors import AccessDenied, DataverseError, InvalidOperation, ResourceNotFound
from entities.messages import (
    Associate,
    Create,
    Delete,
    Disassociate,
    Execute,
    ReadMetadata,
    Retrieve,
    RetrieveMultiple,
    Update,
    Upsert,
)
from entities.metadata.catalog import catalog
from entities.metadata.declare import derived_id
from entities.metadata.tables import ExternalSource, Ownership, TableKind
from entities.pipeline import Caller
from entities.query import (
    ALL_ROWS,
    NO_ROWS,
    And,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    Expansion,
    LinkEntity,
    Not,
    Or,
    QueryExpression,
    equals,
)
from entities.standard.environment import standard_library
from entities.values import EntityReference, Guid
from security.authorize import authorize
from security.principals import EveryPrivilege, Principal
from security.privileges import Depth

ME = Guid("0e9e3c45-96c2-ed11-83fe-6045bdcfea8c")
UNIT = Guid("69535865-29b0-eb11-8236-000d3a874bd8")
BELOW = Guid("00000000-0000-0000-0000-0000000000b2")
TEAM = Guid("00000000-0000-0000-0000-0000000000c3")
OTHER = Guid("00000000-0000-0000-0000-0000000000d4")
RECORD = Guid("00000000-0000-0000-0000-0000000000e5")

LIBRARY = standard_library()
WORKER = replace(
    next(table for table in LIBRARY.tables if table.logical_name == "transactioncurrency"),
    logical_name="mshr_worker",
    schema_name="mshr_Worker",
    entity_set_name="mshr_workers",
    object_type_code=11_000,
    ownership=Ownership.ORGANIZATION,
    kind=TableKind.VIRTUAL,
    source=ExternalSource("finance_operations", "Worker", "Workers", derived_id("provider")),
)
LEGACY = replace(
    WORKER,
    logical_name="new_legacy",
    schema_name="new_Legacy",
    entity_set_name="new_legacies",
    object_type_code=11_001,
    source=ExternalSource("odata", "Legacy", "Legacies", derived_id("provider")),
)
CATALOG = catalog(1, (*LIBRARY.tables, WORKER, LEGACY), LIBRARY.relationships)

ACCOUNT = EntityReference("account", RECORD)
CONTACT = EntityReference("contact", RECORD)
ROLE = EntityReference("role", RECORD)
USER = EntityReference("systemuser", RECORD)


def principal(grants=None, **more):
    facts = {
        "access_mode": 0,
        "is_disabled": False,
        "role_count": 6,
        "grants": {} if grants is None else dict(grants),
        "team_ids": (TEAM,),
        "units_below": (UNIT, BELOW),
        "privilege_total": 5214,
    }
    directory_object = Guid("78d6253a-35f4-404d-aca2-23b610c55204")
    return Principal(Caller(ME, UNIT, "Ada Example", object_id=directory_object), **{**facts, **more})


def holding(*names, depth=Depth.GLOBAL):
    return principal(dict.fromkeys(names, depth))


def one_of(column, *ids, alias=""):
    operator = ConditionOperator.EQUAL if len(ids) == 1 else ConditionOperator.IN
    return Condition(ColumnRef(column, alias), operator, ids)


OWN = one_of("ownerid", ME, TEAM)

# Message, the privileges it takes: each one is needed, all together are enough.
MATRIX = [
    (Retrieve(ACCOUNT), {"prvReadAccount"}),
    (RetrieveMultiple(QueryExpression("account")), {"prvReadAccount"}),
    (
        RetrieveMultiple(
            QueryExpression("account", links=(LinkEntity("c", "contact", "contactid", "primarycontactid"),))
        ),
        {"prvReadAccount", "prvReadContact"},
    ),
    (
        RetrieveMultiple(
            QueryExpression("account", expansions=(Expansion("primarycontactid", QueryExpression("contact")),))
        ),
        {"prvReadAccount", "prvReadContact"},
    ),
    (
        RetrieveMultiple(
            QueryExpression(
                "account",
                filter=Not(Exists(LinkEntity("c", "contact", "parentcustomerid", "accountid"))),
            )
        ),
        {"prvReadAccount", "prvReadContact"},
    ),
    (RetrieveMultiple(QueryExpression("systemuserroles")), {"prvReadUser", "prvReadRole"}),
    (RetrieveMultiple(QueryExpression("roleprivileges")), {"prvReadRole", "prvReadPrivilege"}),
    (RetrieveMultiple(QueryExpression("roletemplate")), set()),
    (Create("account", {"name": "x"}), {"prvCreateAccount"}),
    (
        Create("account", {"name": "x", "primarycontactid": CONTACT}),
        {"prvCreateAccount", "prvAppendAccount", "prvAppendToContact"},
    ),
    (Create("account", {"name": "x", "ownerid": EntityReference("systemuser", ME)}), {"prvCreateAccount"}),
    (
        Create("account", {"name": "x", "ownerid": EntityReference("systemuser", OTHER)}),
        {"prvCreateAccount", "prvAssignAccount"},
    ),
    (Update(ACCOUNT, {"name": "x"}), {"prvWriteAccount"}),
    (Update(ACCOUNT, {"primarycontactid": None}), {"prvWriteAccount"}),
    (
        Update(ACCOUNT, {"primarycontactid": CONTACT}),
        {"prvWriteAccount", "prvAppendAccount", "prvAppendToContact"},
    ),
    (Update(ACCOUNT, {"ownerid": EntityReference("team", TEAM)}), {"prvWriteAccount", "prvAssignAccount"}),
    (Upsert(ACCOUNT, {"name": "x"}), {"prvWriteAccount", "prvCreateAccount"}),
    (Delete(ACCOUNT), {"prvDeleteAccount"}),
    (
        Associate(USER, "systemuserroles_association", ROLE),
        {"prvAppendUser", "prvAppendRole", "prvAssignRole"},
    ),
    (
        Disassociate(ROLE, "systemuserroles_association", USER),
        {"prvAppendUser", "prvAppendRole", "prvAssignRole"},
    ),
    (
        Associate(ACCOUNT, "contact_customer_accounts", CONTACT),
        {"prvAppendToAccount", "prvAppendContact", "prvWriteContact"},
    ),
    (
        Associate(ACCOUNT, "primarycontactid", CONTACT),
        {"prvWriteAccount", "prvAppendAccount", "prvAppendToContact"},
    ),
    (Disassociate(ACCOUNT, "primarycontactid"), {"prvWriteAccount", "prvAppendAccount"}),
    (Execute("WhoAmI"), set()),
    (Execute("AddPrivilegesRole", {}, ROLE), {"prvWriteRole"}),
    (Execute("RemovePrivilegeRole", {}, ROLE), {"prvWriteRole"}),
    (Execute("PublishAllXml"), {"prvPublishCustomization"}),
    (Execute("RetrieveTotalRecordCount", {"EntityNames": ["account"]}), {"prvReadAccount"}),
    (
        Execute("RetrieveTotalRecordCount", {"EntityNames": ["account", "contact", "systemuserroles", "nope"]}),
        {"prvReadAccount", "prvReadContact"},
    ),
    (Execute("RetrieveExchangeRate"), {"prvReadTransactionCurrency"}),
    (Execute("IsValidStateTransition", {"Entity": ACCOUNT}), {"prvReadAccount"}),
    (Execute("CreateManyToMany"), {"prvCreateRelationship"}),
    (ReadMetadata(frozenset({"Entity"})), {"prvReadEntity"}),
    (
        ReadMetadata(frozenset({"Entity", "Attribute", "Relationship"})),
        {"prvReadEntity", "prvReadAttribute", "prvReadRelationship"},
    ),
    (Create("new_legacy", {}), {"prvCreatenew_Legacy"}),
]


@pytest.mark.parametrize(("message", "needed"), MATRIX)
def test_a_message_passes_with_the_privileges_it_takes(message, needed):
    authorized = authorize(message, holding(*needed), CATALOG)
    assert type(authorized.message) is type(message)


@pytest.mark.parametrize(
    ("message", "missing", "others"),
    [(message, missing, needed - {missing}) for message, needed in MATRIX for missing in sorted(needed)],
)
def test_a_message_is_refused_without_any_one_of_them_and_the_refusal_names_it(message, missing, others):
    with pytest.raises(AccessDenied) as refusal:
        authorize(message, holding(*others), CATALOG)
    assert refusal.value.code == "0x80040220"
    assert f"is missing {missing} privilege" in refusal.value.message


@pytest.mark.parametrize(("message", "needed"), MATRIX)
def test_the_system_and_the_system_administrator_may_do_everything(message, needed):
    every = EveryPrivilege(1491, lambda: iter(()))
    authorize(message, principal(is_system=True, role_count=0), CATALOG)
    found = authorize(message, replace(principal(), grants=every), CATALOG)
    assert found.rows == ALL_ROWS


def test_a_missing_privilege_is_reported_word_for_word():
    # [L] the text of 2023 and later
    with pytest.raises(AccessDenied) as refusal:
        authorize(Retrieve(ACCOUNT), principal(dict.fromkeys(map(str, range(1491)), Depth.BASIC)), CATALOG)
    assert refusal.value.message == (
        "Principal user (Id=0e9e3c45-96c2-ed11-83fe-6045bdcfea8c, type=8, roleCount=6, privilegeCount=1491, "
        "accessMode='0 Read-Write', AADObjectId='78d6253a-35f4-404d-aca2-23b610c55204', "
        "MetadataCachePrivilegesCount=5214, businessUnitId=69535865-29b0-eb11-8236-000d3a874bd8), is missing "
        "prvReadAccount privilege (Id=886b280c-6396-4d56-a0a3-2c1b0a50ceb0) on OTC=1 for entity 'account' "
        "(LocalizedName='Account'). context.Caller=0e9e3c45-96c2-ed11-83fe-6045bdcfea8c. Consider adding missed "
        "privilege to one of the principal (user/team) roles."
    )


def test_an_application_user_is_shown_as_non_interactive():
    with pytest.raises(AccessDenied, match=re.escape("accessMode='4 Non-interactive'")):
        authorize(Retrieve(ACCOUNT), principal(access_mode=4), CATALOG)


@pytest.mark.parametrize(
    ("depth", "rows"),
    [
        (Depth.BASIC, OWN),
        (Depth.LOCAL, Or((one_of("owningbusinessunit", UNIT), OWN))),
        (Depth.DEEP, Or((one_of("owningbusinessunit", UNIT, BELOW), OWN))),
        (Depth.GLOBAL, ALL_ROWS),
    ],
)
def test_depth_narrows_the_rows_of_a_user_owned_table(depth, rows):
    reader = holding("prvReadAccount", depth=depth)
    single = authorize(Retrieve(ACCOUNT), reader, CATALOG)
    many = authorize(RetrieveMultiple(QueryExpression("account")), reader, CATALOG)
    assert single.rows == rows
    assert many.message.query.filter == rows
    assert single.reasons
    assert many.reasons


@pytest.mark.parametrize(
    ("depth", "rows"),
    [
        (Depth.BASIC, one_of("systemuserid", ME)),
        (Depth.LOCAL, one_of("businessunitid", UNIT)),
        (Depth.DEEP, one_of("businessunitid", UNIT, BELOW)),
        (Depth.GLOBAL, ALL_ROWS),
    ],
)
def test_depth_narrows_users_by_their_business_unit(depth, rows):
    assert authorize(Retrieve(USER), holding("prvReadUser", depth=depth), CATALOG).rows == rows


def test_a_depth_that_a_table_does_not_have_reaches_nothing():
    currency = EntityReference("transactioncurrency", RECORD)
    found = authorize(Retrieve(currency), holding("prvReadTransactionCurrency", depth=Depth.LOCAL), CATALOG)
    assert found.rows == NO_ROWS


def test_links_any_conditions_and_expansions_are_narrowed_under_their_alias():
    link = LinkEntity("c", "contact", "contactid", "primarycontactid", filter=equals("lastname", "x"))
    query = QueryExpression(
        "account",
        filter=And((equals("name", "x"), Not(Exists(LinkEntity("e", "contact", "parentcustomerid", "accountid"))))),
        links=(link,),
        expansions=(Expansion("primarycontactid", QueryExpression("contact", filter=equals("lastname", "y"))),),
    )
    grants = {"prvReadAccount": Depth.GLOBAL, "prvReadContact": Depth.BASIC}
    narrowed = authorize(RetrieveMultiple(query), principal(grants), CATALOG).message.query
    assert narrowed.links[0].filter == And((equals("lastname", "x"), one_of("ownerid", ME, TEAM, alias="c")))
    exists = LinkEntity("e", "contact", "parentcustomerid", "accountid", filter=one_of("ownerid", ME, TEAM, alias="e"))
    assert narrowed.filter == And((equals("name", "x"), Not(Exists(exists))))
    assert narrowed.expansions[0].query.filter == And((equals("lastname", "y"), OWN))


def test_pairs_are_readable_when_both_ends_are():
    grants = {"prvReadUser": Depth.LOCAL, "prvReadRole": Depth.GLOBAL}
    found = authorize(RetrieveMultiple(QueryExpression("systemuserroles")), principal(grants), CATALOG)
    narrowed = found.message.query.filter
    assert isinstance(narrowed, Exists)
    assert (narrowed.link.table, narrowed.link.to_column) == ("systemuser", "systemuserid")
    assert narrowed.link.filter == one_of("businessunitid", UNIT, alias=narrowed.link.alias)


def test_append_to_is_checked_on_the_record_that_is_bound():
    grants = {"prvCreateAccount": Depth.BASIC, "prvAppendAccount": Depth.BASIC, "prvAppendToContact": Depth.BASIC}
    found = authorize(Create("account", {"primarycontactid": CONTACT}), principal(grants), CATALOG)
    assert [(check.target, check.rows) for check in found.targets] == [(CONTACT, OWN)]
    assert found.rows == OWN


def test_an_owner_must_be_able_to_read_the_table():
    grants = dict.fromkeys(("prvCreateAccount", "prvAssignAccount"), Depth.GLOBAL)
    mine = authorize(Create("account", {"ownerid": EntityReference("systemuser", ME)}), principal(grants), CATALOG)
    theirs = authorize(Create("account", {"ownerid": EntityReference("team", TEAM)}), principal(grants), CATALOG)
    assert mine.owner is None
    assert theirs.owner is not None
    assert theirs.owner.target == EntityReference("team", TEAM)
    assert theirs.owner.denial.code == "0x80040299"
    assert theirs.owner.denial.message.startswith(
        "Read Privilege Check For Owner failed with exception: Principal team"
    )


@pytest.mark.parametrize(
    "message",
    [
        Create("systemuserroles", {"systemuserid": ME}),
        Update(EntityReference("roleprivileges", RECORD), {"privilegedepthmask": 8}),
        Create("privilege", {"name": "prvReadMinds"}),
        Delete(EntityReference("organization", RECORD)),
    ],
)
def test_tables_without_the_message_refuse_it_even_to_the_administrator(message):
    administrator = replace(principal(), grants=EveryPrivilege(1491, lambda: iter(())))
    with pytest.raises(InvalidOperation) as refusal:
        authorize(message, administrator, CATALOG)
    assert refusal.value.code == "0x80040800"


def test_an_unknown_navigation_property_is_not_found():
    with pytest.raises(ResourceNotFound):
        authorize(Associate(ACCOUNT, "friends", CONTACT), holding("prvAppendAccount"), CATALOG)


@pytest.mark.parametrize("name", ["Merge", "SomethingUnheardOf"])
def test_an_operation_that_is_listed_nowhere_is_refused(name):
    with pytest.raises(AccessDenied):
        authorize(Execute(name), holding("prvReadAccount"), CATALOG)


@pytest.mark.parametrize(
    "message",
    [
        Retrieve(EntityReference("mshr_worker", RECORD)),
        Create("mshr_worker", {}),
        Update(EntityReference("mshr_worker", RECORD), {}),
        Delete(EntityReference("mshr_worker", RECORD)),
    ],
)
def test_anyone_with_a_role_reaches_the_generated_tables_and_nobody_without(message):
    assert authorize(message, principal(), CATALOG).rows == ALL_ROWS
    with pytest.raises(AccessDenied):
        authorize(message, principal(role_count=0), CATALOG)


def test_other_virtual_tables_take_their_own_privilege():
    message = Retrieve(EntityReference("new_legacy", RECORD))
    with pytest.raises(AccessDenied):
        authorize(message, principal(), CATALOG)
    assert authorize(message, holding("prvReadnew_Legacy"), CATALOG).rows == ALL_ROWS


def test_a_user_of_access_mode_read_reads_only():
    # [K]: effect known, wording not public
    reader = replace(holding("prvReadAccount", "prvWriteAccount", "prvPublishCustomization"), access_mode=2)
    authorize(Retrieve(ACCOUNT), reader, CATALOG)
    for write in (Update(ACCOUNT, {"name": "x"}), Execute("PublishAllXml")):
        with pytest.raises(AccessDenied):
            authorize(write, reader, CATALOG)


def test_a_user_of_access_mode_administrative_does_not_reach_business_data():
    # [K]: effect known, wording not public
    user = replace(holding("prvReadAccount", "prvReadUser"), access_mode=1)
    authorize(Retrieve(USER), user, CATALOG)
    with pytest.raises(AccessDenied):
        authorize(Retrieve(ACCOUNT), user, CATALOG)


_NAMES = sorted({name for _, needed in MATRIX for name in needed})
_GRANTS = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(Depth), max_size=12)


def _reach(message, grants):
    """Return how far a message reaches: -1 refused, else the least depth that its rows are narrowed to."""
    try:
        found = authorize(message, principal(grants), CATALOG)
    except DataverseError:
        return -1
    filters = [found.rows, *(check.rows for check in found.targets)]
    if isinstance(found.message, RetrieveMultiple):
        filters.append(found.message.query.filter)
    return 1 if all(rows == ALL_ROWS for rows in filters) else 0


@given(st.sampled_from([message for message, _ in MATRIX]), _GRANTS, _GRANTS)
def test_another_role_never_narrows_and_one_less_never_widens(message, first, second):
    together = {name: max(first.get(name, -1), second.get(name, -1)) for name in first | second}
    both_roles = {name: Depth(depth) for name, depth in together.items()}
    assert _reach(message, both_roles) >= max(_reach(message, first), _reach(message, second))


@given(_GRANTS, st.sampled_from(Depth))
def test_a_deeper_right_reaches_every_row_that_a_lesser_one_reaches(grants, depth):
    def rows(reach):
        return authorize(Retrieve(ACCOUNT), principal({**grants, "prvReadAccount": reach}), CATALOG).rows

    def reached(found):
        owners, units = (ME, TEAM, OTHER), (UNIT, BELOW, Guid("00000000-0000-0000-0000-0000000000f6"))
        return {(o, u) for o in owners for u in units if _holds(found, {"ownerid": o, "owningbusinessunit": u})}

    deeper = Depth(min(depth + 1, Depth.GLOBAL))
    assert reached(rows(depth)) <= reached(rows(deeper))


def _holds(condition, row):
    match condition:
        case And(filters):
            return all(_holds(part, row) for part in filters)
        case Or(filters):
            return any(_holds(part, row) for part in filters)
        case Condition(column, _, values):
            return row[column.name] in values
        case _:
            raise AssertionError(condition)


def test_only_authorize_makes_authorized_messages():
    root = Path(__file__).parents[2]
    makers = [
        path.relative_to(root).as_posix()
        for package in ("entities", "security", "odata_server", "integration", "talent_hub_adapter")
        for path in (root / package).rglob("*.py")
        if re.search(r"\bAuthorized\(", path.read_text(encoding="utf-8"))
    ]
    assert makers == ["security/authorize.py"]
