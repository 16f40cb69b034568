import { DynamicsWebApi } from "dynamics-web-api";
import { step, token, url } from "./steps.mjs";

const accessToken = await token();
const api = new DynamicsWebApi({
  serverUrl: url,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => accessToken,
});
const crm = (name) => `Microsoft.Dynamics.CRM.${name}`;
const label = (text) => ({
  "@odata.type": crm("Label"),
  LocalizedLabels: [{ "@odata.type": crm("LocalizedLabel"), Label: text, LanguageCode: 1033 }],
});
const shown = ({ LocalizedLabels: [{ Label }] }) => Label;

const table = await step("create entity", () =>
  api.createEntity({
    data: {
      "@odata.type": crm("EntityMetadata"),
      SchemaName: "new_Machine",
      DisplayName: label("Machine"),
      DisplayCollectionName: label("Machines"),
      OwnershipType: "UserOwned",
      HasActivities: false,
      HasNotes: false,
      Attributes: [
        {
          "@odata.type": crm("StringAttributeMetadata"),
          SchemaName: "new_Name",
          DisplayName: label("Name"),
          IsPrimaryName: true,
          MaxLength: 100,
        },
      ],
    },
  }),
);
await step("create attribute", async () => {
  const column = await api.createAttribute({
    entityKey: table,
    data: { "@odata.type": crm("IntegerAttributeMetadata"), SchemaName: "new_Power", DisplayName: label("Power"), MinValue: 1, MaxValue: 9000 },
  });
  const castType = crm("IntegerAttributeMetadata");
  const read = await api.retrieveAttribute({ entityKey: table, attributeKey: column, castType });
  read.DisplayName.LocalizedLabels[0].Label = "Watts";
  read.MaxValue = 5000;
  await api.updateAttribute({ entityKey: table, data: read, castType, mergeLabels: true });
  const changed = await api.retrieveAttribute({ entityKey: table, attributeKey: column, castType });
  return [shown(changed.DisplayName), changed.MaxValue];
});
await step("global choice", async () => {
  const key = await api.createGlobalOptionSet({
    data: {
      "@odata.type": crm("OptionSetMetadata"),
      Name: "new_grade",
      OptionSetType: "Picklist",
      IsGlobal: true,
      DisplayName: label("Grade"),
      Options: [{ Value: 1, Label: label("Good") }, { Value: 2, Label: label("Better") }],
    },
  });
  await api.createAttribute({
    entityKey: table,
    data: {
      "@odata.type": crm("PicklistAttributeMetadata"),
      SchemaName: "new_Grade",
      DisplayName: label("Grade"),
      "GlobalOptionSet@odata.bind": `/GlobalOptionSetDefinitions(${key})`,
    },
  });
  const found = await api.retrieveGlobalOptionSet({ key: "Name='new_grade'", castType: crm("OptionSetMetadata") });
  return found.Options.map((option) => option.Value);
});
await step("relationship", async () => {
  const key = await api.createRelationship({
    data: {
      "@odata.type": crm("OneToManyRelationshipMetadata"),
      SchemaName: "new_account_machine",
      ReferencedEntity: "account",
      ReferencedAttribute: "accountid",
      ReferencingEntity: "new_machine",
      Lookup: {
        "@odata.type": crm("LookupAttributeMetadata"),
        SchemaName: "new_OwnerAccountId",
        DisplayName: label("Account"),
      },
    },
  });
  const castType = crm("OneToManyRelationshipMetadata");
  const read = await api.retrieveRelationship({ key, castType });
  read.CascadeConfiguration.Delete = "Restrict";
  await api.updateRelationship({ data: read, castType });
  return (await api.retrieveRelationship({ key, castType })).CascadeConfiguration.Delete;
});
await step("update entity", async () => {
  const read = await api.retrieveEntity({ key: table });
  read.DisplayName.LocalizedLabels[0].Label = "Engine";
  await api.updateEntity({ data: read, mergeLabels: true });
  return shown((await api.retrieveEntity({ key: table, select: ["DisplayName"] })).DisplayName);
});
await step("rows", async () => {
  const account = await api.create({ collection: "accounts", data: { name: "Owner" } });
  const key = await api.create({
    collection: "new_machines",
    data: { new_name: "First", new_power: 5000, new_grade: 2, "new_OwnerAccountId@odata.bind": `/accounts(${account})` },
  });
  const row = await api.retrieve({
    collection: "new_machines",
    key,
    select: ["new_name", "new_grade"],
    expand: [{ property: "new_OwnerAccountId", select: ["name"] }],
    includeAnnotations: "*",
  });
  return [row["new_grade@OData.Community.Display.V1.FormattedValue"], row.new_OwnerAccountId.name];
});
await step("outside of the range", () => api.create({ collection: "new_machines", data: { new_power: 5001 } }));
await step("no prefix", () =>
  api.createAttribute({ entityKey: table, data: { "@odata.type": crm("StringAttributeMetadata"), SchemaName: "Power", MaxLength: 5 } }),
);
await step("still used", () => api.deleteGlobalOptionSet({ key: "Name='new_grade'" }));
await step("delete", async () => {
  await api.deleteRelationship({ key: "SchemaName='new_account_machine'" });
  await api.deleteRecord({ collection: "EntityDefinitions", key: table });
  await api.deleteGlobalOptionSet({ key: "Name='new_grade'" });
  const left = await api.retrieveEntities({ select: ["LogicalName"], filter: "LogicalName eq 'new_machine'" });
  return left.value.length;
});
