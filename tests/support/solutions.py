"""A solution as an environment exports it: two tables, a choice, a key, lookups and pairs."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

LABELS = '<{0}s><{0} description="{1}" languagecode="1033" /><{0} description="{2}" languagecode="1031" /></{0}s>'


def attribute(name: str, type_: str, more: str = "", *, mask: str = "ValidForForm") -> str:
    """Return a column as `customizations.xml` writes it."""
    return f"""
      <attribute PhysicalName="{name}">
        <Type>{type_}</Type><Name>{name.lower()}</Name><LogicalName>{name.lower()}</LogicalName>
        <RequiredLevel>none</RequiredLevel><DisplayMask>{mask}</DisplayMask>
        <ValidForUpdateApi>1</ValidForUpdateApi><ValidForReadApi>1</ValidForReadApi>
        <ValidForCreateApi>1</ValidForCreateApi><IsCustomField>1</IsCustomField><IsSecured>0</IsSecured>{more}
        {LABELS.format("displayname", name, name + " (de)")}
      </attribute>"""


def option(value: int, text: str) -> str:
    """Return an option."""
    label = f'<label description="{text}" languagecode="1033" />'
    return f'<option value="{value}" Color="#0000ff"><labels>{label}</labels></option>'


def entity(name: str, attributes: str, more: str = "", code: int = 10_777) -> str:
    """Return a table with its id and name."""
    shown = "<MaxLength>77</MaxLength><Format>text</Format>"
    return f"""
    <Entity>
      <Name LocalizedName="{name}" OriginalName="{name}">{name}</Name><ObjectTypeCode>{code}</ObjectTypeCode>
      <EntityInfo><entity Name="{name}">
        {LABELS.format("LocalizedName", name + " label", name + " Titel")}
        <LocalizedCollectionNames><LocalizedCollectionName description="{name} labels" languagecode="1033" />
        </LocalizedCollectionNames>
        <attributes>
          {attribute(name + "Id", "primarykey")}
          {attribute("con_Name", "nvarchar", shown, mask="PrimaryName|ValidForForm")}
          {attributes}
        </attributes>
        {more}
        <EntitySetName>{name.lower()}s</EntitySetName><OwnershipTypeMask>UserOwned</OwnershipTypeMask>
        <IsCustomEntity>1</IsCustomEntity><ChangeTrackingEnabled>1</ChangeTrackingEnabled>
      </entity></EntityInfo>
    </Entity>"""


KINDS = "".join(
    (
        attribute("con_Memo", "ntext", "<MaxLength>3000</MaxLength>"),
        attribute("con_Mail", "nvarchar", "<MaxLength>200</MaxLength><Format>email</Format>"),
        attribute(
            "con_Number", "nvarchar", "<MaxLength>20</MaxLength><AutoNumberFormat>P-{SEQNUM:4}</AutoNumberFormat>"
        ),
        attribute("con_Size", "int", "<MinValue>1</MinValue><MaxValue>9</MaxValue>"),
        attribute("con_Ratio", "decimal", "<Accuracy>3</Accuracy><MinValue>0</MinValue><MaxValue>10</MaxValue>"),
        attribute("con_Share", "float", "<Accuracy>4</Accuracy><MinValue>0</MinValue><MaxValue>1</MaxValue>"),
        attribute("con_Price", "money", "<Accuracy>2</Accuracy>"),
        attribute("con_Day", "datetime", "<Format>date</Format><Behavior>2</Behavior>"),
        attribute("con_Moment", "datetime", "<Format>datetime</Format><Behavior>3</Behavior>"),
        attribute(
            "con_Flag",
            "bit",
            "<AppDefaultValue>1</AppDefaultValue><optionset><OptionSetType>bit</OptionSetType>"
            f"<options>{option(1, 'On')}{option(0, 'Off')}</options></optionset>",
        ),
        attribute(
            "con_Shape",
            "picklist",
            '<AppDefaultValue>2</AppDefaultValue><optionset Name="con_project_con_shape">'
            f"<options>{option(1, 'Round')}{option(2, 'Square')}</options></optionset>",
        ),
        attribute("con_Color", "picklist", "<OptionSetName>con_color</OptionSetName>"),
        attribute(
            "con_Tags",
            "multiselectpicklist",
            f'<optionset Name="con_tags"><options>{option(7, "Big")}{option(8, "Old")}</options></optionset>',
        ),
        attribute("con_AccountId", "lookup"),
        attribute("con_Twice", "int", "<SourceType>1</SourceType><FormulaDefinition>con_size * 2</FormulaDefinition>"),
        attribute(
            "con_Foreign", "int", "<SourceType>1</SourceType><FormulaDefinition>&lt;Activity /&gt;</FormulaDefinition>"
        ),
        attribute("con_Client", "customer"),
    )
)
KEY = """
  <EntityKeys><EntityKey><Name>con_NumberKey</Name><LogicalName>con_numberkey</LogicalName>
    <EntityKeyAttributes><AttributeName>con_number</AttributeName></EntityKeyAttributes>
    <displaynames><displayname description="Number" languagecode="1033" /></displaynames>
  </EntityKey></EntityKeys>"""


def lookup(name: str, table: str, column: str, target: str, delete: str = "RemoveLink") -> str:
    """Return the relationship of a lookup."""
    navigation = f"{column}_{target.lower()}" if column == "con_Client" else column
    return f"""
    <EntityRelationship Name="{name}"><EntityRelationshipType>OneToMany</EntityRelationshipType>
      <IsHierarchical>0</IsHierarchical><ReferencingEntityName>{table}</ReferencingEntityName>
      <ReferencedEntityName>{target}</ReferencedEntityName><CascadeAssign>NoCascade</CascadeAssign>
      <CascadeDelete>{delete}</CascadeDelete><CascadeReparent>NoCascade</CascadeReparent>
      <ReferencingAttributeName>{column}</ReferencingAttributeName>
      <EntityRelationshipRoles>
        <EntityRelationshipRole><NavigationPropertyName>{navigation}</NavigationPropertyName>
          <RelationshipRoleType>1</RelationshipRoleType></EntityRelationshipRole>
        <EntityRelationshipRole><NavigationPropertyName>{name}</NavigationPropertyName>
          <RelationshipRoleType>0</RelationshipRoleType></EntityRelationshipRole>
      </EntityRelationshipRoles>
    </EntityRelationship>"""


PAIR = """
    <EntityRelationship Name="con_project_task_pair"><EntityRelationshipType>ManyToMany</EntityRelationshipType>
      <FirstEntityName>con_Project</FirstEntityName><SecondEntityName>con_Task</SecondEntityName>
      <IntersectEntityName>con_project_task_pair</IntersectEntityName>
    </EntityRelationship>"""
CHOICE = f"""
    <optionset Name="con_color" localizedName="Color"><OptionSetType>picklist</OptionSetType><IsGlobal>1</IsGlobal>
      <displaynames><displayname description="Color" languagecode="1033" /></displaynames>
      <options>{option(100000000, "Red")}{option(100000001, "Green")}</options>
    </optionset>"""
CUSTOMIZATIONS = f"""<?xml version="1.0" encoding="utf-8"?>
<ImportExportXml xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Entities>
    {entity("con_Project", KINDS, KEY)}
    {entity("con_Task", attribute("con_ProjectId", "lookup"), code=10_778)}
  </Entities>
  <EntityRelationships>
    {lookup("con_account_project", "con_Project", "con_AccountId", "Account", "Restrict")}
    {lookup("con_project_client_account", "con_Project", "con_Client", "Account")}
    {lookup("con_project_client_contact", "con_Project", "con_Client", "Contact")}
    {lookup("con_project_task", "con_Task", "con_ProjectId", "con_Project", "Cascade")}
    {PAIR}
  </EntityRelationships>
  <optionsets>{CHOICE}</optionsets>
</ImportExportXml>"""
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<ImportExportXml version="9.2">
  <SolutionManifest>
    <UniqueName>ContosoProjects</UniqueName>
    <LocalizedNames><LocalizedName description="Contoso projects" languagecode="1033" /></LocalizedNames>
    <Version>1.2.0.0</Version><Managed>0</Managed>
    <Publisher><UniqueName>contoso</UniqueName>
      <LocalizedNames><LocalizedName description="Contoso" languagecode="1033" /></LocalizedNames>
      <CustomizationPrefix>con</CustomizationPrefix>
      <CustomizationOptionValuePrefix>34567</CustomizationOptionValuePrefix></Publisher>
    <RootComponents><RootComponent type="1" schemaName="con_project" behavior="0" /></RootComponents>
  </SolutionManifest>
</ImportExportXml>"""


def archive(**members: str | bytes) -> bytes:
    """Return a ZIP file; in names of members two underscores stand for the dot."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def solution(customizations: str = CUSTOMIZATIONS) -> bytes:
    """Return the solution."""
    return archive(customizations__xml=customizations, solution__xml=MANIFEST)
