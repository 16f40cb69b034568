"""Two metadata documents compared: what differs is told once, at its place; how it is written does not count."""

import pytest

from odata_server.edm.csdl_comparing import Difference, differences
from odata_server.edm.csdl_document import schema_of

FRAME = """<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Microsoft.Dynamics.CRM" Alias="mscrm">
<EntityType Name="account" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="accountid"/></Key>
{properties}
<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>{keys}</Collection></Annotation></EntityType>
<Action Name="Rate" IsBound="true"><Parameter Name="entity" Type="mscrm.account" Nullable="false"/>{parameters}</Action>
<EntityContainer Name="System"><EntitySet Name="accounts" EntityType="mscrm.account"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""

NAME = '<Property Name="name" Type="Edm.String" Unicode="false"/>'
CODE = '<Property Name="code" Type="Edm.Int32"/>'
OWNER = (
    '<NavigationProperty Name="owner" Type="mscrm.principal" Nullable="false">'
    '<ReferentialConstraint Property="_owner_value" ReferencedProperty="ownerid"/></NavigationProperty>'
)
WORD = '<Parameter Name="Word" Type="Edm.String"/>'
TIMES = '<Parameter Name="Times" Type="Edm.Int32"/>'


def _key(*names):
    inner = "".join(f'<Record><PropertyValue Property="Name" PropertyPath="{name}"/></Record>' for name in names)
    return f'<Record><PropertyValue Property="Key"><Collection>{inner}</Collection></PropertyValue></Record>'


KEY = _key("name", "code")


def _schema(properties=NAME + CODE + OWNER, keys=KEY, parameters=WORD + TIMES):
    return schema_of(FRAME.format(properties=properties, keys=keys, parameters=parameters).encode())


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"properties": OWNER + CODE + NAME},
        {"properties": NAME.replace('Name="name" Type="Edm.String"', 'Type="Edm.String"   Name="name"') + CODE + OWNER},
        {"properties": NAME + CODE + OWNER.replace("mscrm.principal", "Microsoft.Dynamics.CRM.principal")},
        {"keys": _key("code", "name")},
    ],
)
def test_order_and_aliases_are_no_difference(other):
    assert differences(_schema(), _schema(**other)) == ()


ACCOUNT = "EntityType account / "
NAVIGATION = f"{ACCOUNT}NavigationProperty owner"


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"properties": NAME + OWNER}, Difference(f"{ACCOUNT}Property code", "Type=Edm.Int32", None)),
        (
            {"properties": NAME + CODE.replace("32", "64") + OWNER},
            Difference(f"{ACCOUNT}Property code", "Type=Edm.Int32", "Type=Edm.Int64"),
        ),
        ({"properties": NAME + CODE}, Difference(NAVIGATION, "Nullable=false Type=principal", None)),
        (
            {"properties": NAME + CODE + OWNER.replace('"ownerid"', '"id"')},
            Difference(
                f"{NAVIGATION} / ReferentialConstraint _owner_value",
                "ReferencedProperty=ownerid",
                "ReferencedProperty=id",
            ),
        ),
        (
            {"keys": _key("name", "code") + _key("code")},
            Difference(f"{ACCOUNT}AlternateKey code", None, ""),
        ),
        (
            {"parameters": WORD},
            Difference("Action Rate on account / Parameter Times", "number 3 Type=Edm.Int32", None),
        ),
    ],
)
def test_a_difference_is_told_once_and_where_it_is(other, found):
    """What is inside of a declaration that is missing, such as its constraint, is not told again."""
    assert differences(_schema(), _schema(**other)) == (found,)


def test_the_order_of_parameters_counts():
    places = [difference.place for difference in differences(_schema(), _schema(parameters=TIMES + WORD))]
    assert places == ["Action Rate on account / Parameter Times", "Action Rate on account / Parameter Word"]


def test_operations_of_one_name_are_told_apart_by_what_they_are_bound_to():
    many = FRAME.replace('Type="mscrm.account" Nullable', 'Type="Collection(mscrm.account)" Nullable')
    other = schema_of(many.format(properties=NAME + CODE + OWNER, keys=KEY, parameters=WORD + TIMES).encode())
    assert [(d.place, d.ours is None) for d in differences(_schema(), other)] == [
        ("Action Rate on Collection(account)", False),
        ("Action Rate on account", True),
    ]
