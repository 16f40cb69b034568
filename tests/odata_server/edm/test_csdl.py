"""The metadata documents parse, are valid against the OASIS schemas, and look like Dataverse's own."""

import pytest
from lxml import etree

from entities.human_resources.actions import ACTIONS
from entities.metadata.catalog import catalog
from entities.metadata.declare import memo, plain, primary_id, string
from entities.metadata.tables import AlternateKey, Table
from odata_server.edm.csdl import csdl
from odata_server.edm.finance_csdl import finance_csdl
from odata_server.edm.xml_text import escaped

EDM = {"e": "http://docs.oasis-open.org/odata/ns/edm"}


def _one(document, path):
    (found,) = document.xpath(path, namespaces=EDM)
    return found


@pytest.fixture(scope="module")
def document(dataverse):
    return etree.fromstring(csdl(dataverse))


@pytest.fixture(scope="module")
def finance(human_resources):
    return etree.fromstring(finance_csdl(human_resources, ACTIONS))


@pytest.fixture(scope="module")
def schema(reference):
    return etree.XMLSchema(etree.parse(reference / "data" / "odata-csdl-schemas" / "edmx.xsd"))


@pytest.mark.parametrize("annotated", [False, True])
def test_only_the_scale_that_dataverse_writes_deviates_from_the_schema(schema, dataverse, annotated):
    schema.validate(etree.fromstring(csdl(dataverse, annotated=annotated)))
    assert schema.error_log
    assert all("'Variable'" in str(error.message) for error in schema.error_log)


def test_the_finance_document_is_valid(schema, finance):
    schema.assertValid(finance)


def test_the_same_deviation_is_in_a_real_document(schema, reference):
    parser = etree.XMLParser(huge_tree=True)
    schema.validate(etree.parse(reference / "data" / "dataverse-v9.1-metadata.xml", parser))
    assert {"Variable" in str(error.message) for error in schema.error_log} == {True}


def _declarations(document, entity_type, element):
    children = document.xpath(f"//e:EntityType[@Name='{entity_type}']/e:{element}", namespaces=EDM)
    return {child.get("Name"): dict(child.attrib) for child in children}


@pytest.mark.parametrize("entity_type", ["account", "contact", "role", "transactioncurrency", "businessunit"])
def test_properties_are_declared_as_in_a_real_document(document, reference, entity_type):
    real = etree.parse(reference / "data" / "dataverse-v9.1-metadata.xml", etree.XMLParser(huge_tree=True))
    ours = _declarations(document, entity_type, "Property")
    theirs = _declarations(real, entity_type, "Property")
    shared = ours.keys() & theirs.keys()
    assert len(shared) > 10
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


@pytest.mark.parametrize(
    "name", ["EntityMetadata", "AttributeMetadata", "PicklistAttributeMetadata", "OneToManyRelationshipMetadata"]
)
def test_definitions_have_every_property_of_a_real_document(document, reference, name):
    real = etree.parse(reference / "data" / "dataverse-v9.1-metadata.xml", etree.XMLParser(huge_tree=True))
    theirs = _declarations(real, name, "Property")
    ours = _declarations(document, name, "Property")
    assert {key: ours.get(key) for key in theirs} == theirs


def test_an_entity_type_has_its_key_and_base(document):
    account = _one(document, "//e:EntityType[@Name='account']")
    assert account.get("BaseType") == "mscrm.crmbaseentity"
    assert _one(account, "e:Key/e:PropertyRef").get("Name") == "accountid"


@pytest.mark.parametrize("name", ["systemuser", "team"])
def test_users_and_teams_are_principals_keyed_by_ownerid(document, name):
    principal = _one(document, f"//e:EntityType[@Name='{name}']")
    assert principal.get("BaseType") == "mscrm.principal"
    assert _one(principal, "e:Key/e:PropertyRef").get("Name") == "ownerid"
    assert not principal.xpath("e:Property[@Name='ownerid']", namespaces=EDM)
    assert _one(document, "//e:EntityType[@Name='principal']").get("Abstract") == "true"


def test_a_lookup_is_a_guid_and_a_navigation_property_that_is_never_nullable(document):
    account = _one(document, "//e:EntityType[@Name='account']")
    value = _one(account, "e:Property[@Name='_primarycontactid_value']")
    assert dict(value.attrib) == {"Name": "_primarycontactid_value", "Type": "Edm.Guid"}
    navigation = _one(account, "e:NavigationProperty[@Name='primarycontactid']")
    assert (navigation.get("Type"), navigation.get("Nullable")) == ("mscrm.contact", "false")
    constraint = _one(navigation, "e:ReferentialConstraint")
    assert dict(constraint.attrib) == {"Property": "_primarycontactid_value", "ReferencedProperty": "contactid"}


def test_the_owner_leads_to_the_base_of_users_and_teams(document):
    owner = _one(document, "//e:EntityType[@Name='account']/e:NavigationProperty[@Name='ownerid']")
    assert owner.get("Type") == "mscrm.principal"
    assert _one(owner, "e:ReferentialConstraint").get("ReferencedProperty") == "ownerid"
    partner = _one(document, f"//e:EntityType[@Name='principal']/*[@Name='{owner.get('Partner')}']")
    assert partner.get("Type") == "Collection(mscrm.account)"


def test_every_partner_exists_and_points_back(document):
    types = {node.get("Name"): node for node in document.xpath("//e:EntityType", namespaces=EDM)}
    checked = 0
    for node in document.xpath("//e:NavigationProperty[@Partner]", namespaces=EDM):
        target = node.get("Type").removeprefix("Collection(").removesuffix(")").removeprefix("mscrm.")
        assert types[target].xpath(f"e:NavigationProperty[@Name='{node.get('Partner')}']", namespaces=EDM), dict(
            node.attrib
        )
        checked += 1
    assert checked > 50


def test_every_type_that_is_used_is_declared(document):
    declared = {node.get("Name") for node in document.xpath("//*[@Name][parent::e:Schema]", namespaces=EDM)}
    used = set(document.xpath("//@Type | //@BaseType | //@EntityType | //@Function"))
    names = {value.removeprefix("Collection(").removesuffix(")") for value in used}
    own = {name.rpartition(".")[2] for name in names if name.startswith(("mscrm.", "Microsoft.Dynamics.CRM."))}
    assert own <= declared


def test_bindings_lead_to_entity_sets(document):
    sets = set(document.xpath("//e:EntitySet/@Name", namespaces=EDM))
    targets = set(document.xpath("//e:NavigationPropertyBinding/@Target", namespaces=EDM))
    # Dataverse leads owners to a set that its document does not have.
    assert targets - sets == {"owners"}
    assert {"accounts", "systemuserrolescollection", "teammemberships", "EntityDefinitions"} <= sets


def test_many_to_many_navigation_carries_one_name_on_both_ends(document):
    for entity_type, target in (("systemuser", "role"), ("role", "systemuser")):
        path = f"//e:EntityType[@Name='{entity_type}']/e:NavigationProperty[@Name='systemuserroles_association']"
        navigation = _one(document, path)
        assert navigation.get("Type") == f"Collection(mscrm.{target})"
        assert navigation.get("Partner") == "systemuserroles_association"


def test_operations_are_declared_with_their_types(document):
    assert _one(document, "//e:Function[@Name='WhoAmI']/e:ReturnType").get("Type") == "mscrm.WhoAmIResponse"
    assert _one(document, "//e:FunctionImport[@Name='WhoAmI']").get("Function") == "Microsoft.Dynamics.CRM.WhoAmI"
    action = _one(document, "//e:Action[@Name='AddPrivilegesRole']")
    assert [parameter.get("Name") for parameter in action] == ["entity", "Privileges"]
    assert not document.xpath("//e:ActionImport[@Name='AddPrivilegesRole']", namespaces=EDM)


def test_operations_that_are_not_available_are_declared_all_the_same(document):
    """What is made from the document, such as classes of a client, is then what it is for Dataverse."""
    assert _one(document, "//e:ActionImport[@Name='CloneAsPatch']").get("Action").endswith(".CloneAsPatch")
    assert _one(document, "//e:ComplexType[@Name='CloneAsPatchResponse']/e:Property").get("Name") == "SolutionId"
    assert not document.xpath("//e:Action[@Name='DeleteMultiple']", namespaces=EDM)


def test_parameters_that_may_be_left_out_and_functions_that_go_on_are_marked(document):
    optional = _one(document, "//e:Function[@Name='RetrieveDuplicates']/e:Parameter[@Name='PagingInfo']/e:Annotation")
    assert optional.get("Term") == "Org.OData.Core.V1.OptionalParameter"
    composable = document.xpath("//e:Function[@IsComposable='true']/@Name", namespaces=EDM)
    assert "RetrieveAllChildUsersSystemUser" in composable
    assert "RetrieveUserPrivileges" not in composable


def test_records_in_complex_types_are_navigation_properties(document):
    principal = _one(document, "//e:ComplexType[@Name='PrincipalAccess']/e:NavigationProperty")
    assert dict(principal.attrib) == {"Name": "Principal", "Type": "mscrm.crmbaseentity", "Nullable": "false"}


def test_operations_of_missing_tables_are_left_out():
    document = etree.fromstring(csdl(catalog(1, (), ())))
    assert "WhoAmI" in document.xpath("//e:FunctionImport/@Name", namespaces=EDM)
    assert not document.xpath("//e:Action[@IsBound]", namespaces=EDM)
    assert not document.xpath("//e:Function[@Name='RetrieveUserPrivileges']", namespaces=EDM)


def test_alternate_keys_are_annotated_and_names_are_escaped():
    odd = Table(
        "new_odd",
        "new_Odd",
        'new_"odds" & <ends>',
        10_001,
        "new_oddid",
        "new_name",
        (primary_id("new_OddId"), string("new_Name"), memo("new_Text", description=plain("a < b & \x00c"))),
        plain("Odd"),
        plain("Odds"),
        keys=(AlternateKey("new_key", ("new_name",)),),
    )
    document = etree.fromstring(csdl(catalog(1, (odd,), ()), annotated=True))
    key = _one(document, "//e:EntityType[@Name='new_odd']/e:Annotation[contains(@Term,'AlternateKeys')]")
    assert key.xpath(".//e:PropertyValue/@PropertyPath", namespaces=EDM) == ["new_name"]
    assert 'new_"odds" & <ends>' in document.xpath("//e:EntitySet/@Name", namespaces=EDM)
    assert "a < b & c" in document.xpath("//e:Annotation/@String", namespaces=EDM)


def test_descriptions_come_only_when_asked_for(document, dataverse):
    path = "//e:EntityType[@Name='account']//e:Annotation[contains(@Term,'Description')]"
    assert not document.xpath(path, namespaces=EDM)
    assert etree.fromstring(csdl(dataverse, annotated=True)).xpath(path, namespaces=EDM)


def test_the_container_claims_the_intermediate_level(document):
    container = _one(document, "//e:EntityContainer[@Name='System']")
    level = _one(container, "e:Annotation[contains(@Term,'ConformanceLevel')]/e:EnumMember")
    assert level.text.endswith("/Intermediate")
    formats = container.xpath("e:Annotation[contains(@Term,'SupportedFormats')]//e:String/text()", namespaces=EDM)
    assert len(formats) == 13


def test_finance_entities_have_natural_keys_and_no_guid(finance):
    candidate = _one(finance, "//e:EntityType[@Name='HcmCandidateToHireEntity']")
    assert candidate.xpath("e:Key/e:PropertyRef/@Name", namespaces=EDM) == ["dataAreaId", "CandidateId"]
    assert not finance.xpath("//e:Property[@Type='Edm.Guid']", namespaces=EDM)
    assert not candidate.xpath("e:Property[@Name='versionnumber']", namespaces=EDM)


def test_finance_choices_are_enumerations_declared_once(finance):
    names = finance.xpath("//e:EnumType/@Name", namespaces=EDM)
    assert len(names) == len(set(names))
    assert finance.xpath("//e:EnumType[@Name='NoYes']/e:Member/@Name", namespaces=EDM) == ["No", "Yes"]
    used = {
        t.rpartition(".")[2]
        for t in finance.xpath("//e:Property[not(starts-with(@Type,'Edm.'))]/@Type", namespaces=EDM)
    }
    complex_types = set(finance.xpath("//e:ComplexType/@Name", namespaces=EDM))
    assert used <= set(names) | complex_types


def test_finance_actions_are_bound(finance):
    hire = _one(finance, "//e:Action[@Name='Hire']")
    assert hire.get("IsBound") == "true"
    assert hire.xpath("e:Parameter/@Name", namespaces=EDM)[:2] == ["bindingParameter", "LegalEntityId"]
    assert {"Hire", "DoNotHire", "Dismiss"} == set(finance.xpath("//e:Action/@Name", namespaces=EDM))
    assert _one(finance, "//e:EntityContainer").get("Name") == "Resources"


def test_text_that_xml_cannot_hold_is_left_out():
    assert escaped('a\x0b"<&>\ud800\n') == "a&quot;&lt;&amp;&gt;&#10;"


def test_sets_whose_changes_are_tracked_say_so_where_annotations_are_asked_for(dataverse, document):
    path = "//e:EntitySet[e:Annotation[@Term='Org.OData.Capabilities.V1.ChangeTracking']"
    path += "/e:Record/e:PropertyValue[@Property='Supported'][@Bool='true']]/@Name"
    annotated = etree.fromstring(csdl(dataverse, annotated=True))
    tracked = {table.entity_set_name for table in dataverse.tables.values() if table.change_tracking}
    assert set(annotated.xpath(path, namespaces=EDM)) == tracked
    assert "businessunits" not in tracked >= {"accounts", "contacts"}
    assert document.xpath(path, namespaces=EDM) == []
