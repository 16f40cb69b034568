"""A small metadata document: a table of projects with a column of every kind, what it points to, and operations."""

from collections.abc import Iterable

EDMX = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Microsoft.Dynamics.CRM" Alias="mscrm">
<EntityType Name="crmbaseentity" Abstract="true"/>
<EntityType Name="principal" BaseType="mscrm.crmbaseentity" Abstract="true">
  <Key><PropertyRef Name="ownerid"/></Key><Property Name="ownerid" Type="Edm.Guid"/>
  <NavigationProperty Name="owner_new_projects" Type="Collection(mscrm.new_project)" Partner="ownerid"/>
</EntityType>
{types}
<EntityContainer Name="System">{sets}</EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""

TYPES = """
<EntityType Name="systemuser" BaseType="mscrm.principal">
  <Key><PropertyRef Name="ownerid"/></Key>
  <Property Name="systemuserid" Type="Edm.Guid"/><Property Name="fullname" Type="Edm.String" Unicode="false"/>
</EntityType>
<EntityType Name="account" BaseType="mscrm.crmbaseentity">
  <Key><PropertyRef Name="accountid"/></Key>
  <Property Name="accountid" Type="Edm.Guid"/><Property Name="name" Type="Edm.String" Unicode="false"/>
  <Property Name="new_grade" Type="Edm.Int32"/>
  <NavigationProperty Name="account_new_projects" Type="Collection(mscrm.new_project)"
    Partner="new_CustomerId_account"/>
</EntityType>
<EntityType Name="contact" BaseType="mscrm.crmbaseentity">
  <Key><PropertyRef Name="contactid"/></Key>
  <Property Name="contactid" Type="Edm.Guid"/><Property Name="fullname" Type="Edm.String" Unicode="false"/>
  <NavigationProperty Name="contact_new_projects" Type="Collection(mscrm.new_project)"
    Partner="new_CustomerId_contact"/>
</EntityType>
<EntityType Name="new_project" BaseType="mscrm.crmbaseentity">
  <Key><PropertyRef Name="new_projectid"/></Key>
  <Property Name="new_name" Type="Edm.String" Unicode="false"/>
  <Property Name="new_projectid" Type="Edm.Guid"/>
  <Property Name="new_description" Type="Edm.String" Unicode="false"/>
  <Property Name="new_code" Type="Edm.String" Unicode="false"/>
  <Property Name="new_kindcode" Type="Edm.Int32"/>
  <Property Name="new_count" Type="Edm.Int32"/>
  <Property Name="new_budget" Type="Edm.Decimal" Scale="Variable"/>
  <Property Name="new_budget_base" Type="Edm.Decimal" Scale="Variable"/>
  <Property Name="exchangerate" Type="Edm.Decimal" Scale="Variable"/>
  <Property Name="_transactioncurrencyid_value" Type="Edm.Guid"/>
  <Property Name="new_share" Type="Edm.Decimal" Scale="Variable"/>
  <Property Name="new_day" Type="Edm.Date"/>
  <Property Name="new_moment" Type="Edm.DateTimeOffset"/>
  <Property Name="new_done" Type="Edm.Boolean"/>
  <Property Name="new_plan" Type="Edm.Guid"/>
  <Property Name="new_plan_name" Type="Edm.String" Unicode="false"/>
  <Property Name="new_model" Type="Edm.Binary"/>
  <Property Name="new_model_name" Type="Edm.String" Unicode="false"/>
  <Property Name="new_picture" Type="Edm.Binary"/>
  <Property Name="new_picture_timestamp" Type="Edm.Int64"/>
  <Property Name="new_picture_url" Type="Edm.String" Unicode="false"/>
  <Property Name="new_pictureid" Type="Edm.Guid"/>
  <Property Name="new_otherid" Type="Edm.Guid"/>
  <Property Name="iscustomizable" Type="mscrm.BooleanManagedProperty"/>
  <Property Name="statecode" Type="Edm.Int32"/>
  <Property Name="statuscode" Type="Edm.Int32"/>
  <Property Name="versionnumber" Type="Edm.Int64"/>
  <Property Name="_ownerid_value" Type="Edm.Guid"/>
  <Property Name="_new_customerid_value" Type="Edm.Guid"/>
  <Property Name="_new_lost_value" Type="Edm.Guid"/>
  <NavigationProperty Name="ownerid" Type="mscrm.principal" Nullable="false" Partner="owner_new_projects">
    <ReferentialConstraint Property="_ownerid_value" ReferencedProperty="ownerid"/></NavigationProperty>
  <NavigationProperty Name="new_CustomerId_account" Type="mscrm.account" Nullable="false"
    Partner="account_new_projects">
    <ReferentialConstraint Property="_new_customerid_value" ReferencedProperty="accountid"/></NavigationProperty>
  <NavigationProperty Name="new_CustomerId_contact" Type="mscrm.contact" Nullable="false"
    Partner="contact_new_projects">
    <ReferentialConstraint Property="_new_customerid_value" ReferencedProperty="contactid"/></NavigationProperty>
  <NavigationProperty Name="new_project_tag" Type="Collection(mscrm.new_tag)" Partner="new_project_tag"/>
  <Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>
    <Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key"><Collection>
      <Record Type="OData.Community.Keys.V1.PropertyRef"><PropertyValue Property="Alias" String="new_code"/>
        <PropertyValue Property="Name" PropertyPath="new_code"/></Record>
      <Record Type="OData.Community.Keys.V1.PropertyRef"><PropertyValue Property="Alias" String="c"/>
        <PropertyValue Property="Name" PropertyPath="_new_customerid_value"/></Record>
    </Collection></PropertyValue></Record></Collection></Annotation>
</EntityType>
<EntityType Name="new_tag" BaseType="mscrm.crmbaseentity">
  <Key><PropertyRef Name="new_tagid"/></Key><Property Name="new_tagid" Type="Edm.Guid"/>
  <NavigationProperty Name="new_project_tag" Type="Collection(mscrm.new_project)" Partner="new_project_tag"/>
</EntityType>
<EntityType Name="new_project_tag" BaseType="mscrm.crmbaseentity">
  <Key><PropertyRef Name="new_project_tagid"/></Key>
  <Property Name="new_project_tagid" Type="Edm.Guid"/><Property Name="new_projectid" Type="Edm.Guid"/>
  <Property Name="new_tagid" Type="Edm.Guid"/><Property Name="versionnumber" Type="Edm.Int64"/>
</EntityType>"""

OPERATIONS = """
<ComplexType Name="new_RateResponse"><Property Name="Score" Type="Edm.Int32"/>
  <NavigationProperty Name="Best" Type="mscrm.account" Nullable="false"/></ComplexType>
<Action Name="new_Rate" IsBound="true"><Parameter Name="entity" Type="mscrm.new_project" Nullable="false"/>
  <Parameter Name="Words" Type="Collection(Edm.String)" Nullable="false" Unicode="false"/>
  <Parameter Name="About" Type="mscrm.crmbaseentity"/>
  <ReturnType Type="mscrm.new_RateResponse" Nullable="false"/></Action>
<Function Name="new_Best"><ReturnType Type="Collection(mscrm.new_project)" Nullable="false"/></Function>
<Action Name="new_Odd"><Parameter Name="Query" Type="mscrm.QueryBase"/></Action>
<Action Name="new_Lost" IsBound="true"><Parameter Name="entity" Type="mscrm.absent"/></Action>
<Action Name="Unprefixed"/>
<Function Name="WhoAmI"><ReturnType Type="mscrm.WhoAmIResponse" Nullable="false"/></Function>"""

ACTIVITIES = """
<EntityType Name="activitypointer" BaseType="mscrm.crmbaseentity" Abstract="true">
  <Key><PropertyRef Name="activityid"/></Key><Property Name="activityid" Type="Edm.Guid"/>
  <Property Name="subject" Type="Edm.String" Unicode="false"/>
  <Property Name="_regardingobjectid_value" Type="Edm.Guid"/>
</EntityType>
<EntityType Name="new_visit" BaseType="mscrm.activitypointer">
  <Key><PropertyRef Name="activityid"/></Key><Property Name="new_mood" Type="Edm.Int32"/>
  <NavigationProperty Name="regardingobjectid_new_project_new_visit" Type="mscrm.new_project" Nullable="false"
    Partner="new_project_new_visits"/>
</EntityType>"""
"""A table of activities; the projects need the collection `VISITS` then."""

VISITS = """<NavigationProperty Name="new_project_new_visits" Type="Collection(mscrm.new_visit)"
    Partner="regardingobjectid_new_project_new_visit"/>"""

NAMES = {"systemuser", "account", "contact", "new_project", "new_tag", "new_project_tag"}


def document(types: str = TYPES, names: Iterable[str] = NAMES) -> bytes:
    """Return the document, with other types and tables that have sets where they are given."""
    sets = "".join(f'<EntitySet Name="{n}set" EntityType="Microsoft.Dynamics.CRM.{n}"/>' for n in sorted(names))
    return EDMX.format(types=types, sets=sets).encode()
