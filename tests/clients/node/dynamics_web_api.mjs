import { DynamicsWebApi } from "dynamics-web-api";
import { step, token, url } from "./steps.mjs";

const accessToken = await token();
const connect = (options = {}) =>
  new DynamicsWebApi({ serverUrl: url, dataApi: { version: "9.2" }, onTokenRefresh: async () => accessToken, ...options });
const api = connect();
const long = "x".repeat(2200);

// Rows.
const id = await step("create", () => api.create({ collection: "accounts", data: { name: "Zoë's café ☕" } }));
await step("create shown", async () => {
  const row = await api.create({ collection: "accounts", data: { name: "Shown" }, returnRepresentation: true, select: ["name"] });
  await api.deleteRecord({ collection: "accounts", key: row.accountid });
  return row.name;
});
await step("retrieve", async () => {
  const row = await api.retrieve({ collection: "accounts", key: id, select: ["name", "statecode"], includeAnnotations: "*" });
  return [row.name, row["statecode@OData.Community.Display.V1.FormattedValue"]];
});
await step("update", () => api.update({ collection: "accounts", key: id, data: { name: "Changed", numberofemployees: 7 } }));
await step("update shown", async () =>
  (await api.update({ collection: "accounts", key: id, data: { name: "Again" }, returnRepresentation: true, select: ["name"] })).name,
);
await step("single property", () => api.updateSingleProperty({ collection: "accounts", key: id, fieldValuePair: { telephone1: "1" } }));
await step("delete property", () => api.deleteRecord({ collection: "accounts", key: id, property: "telephone1" }));
await step("after property", async () => (await api.retrieve({ collection: "accounts", key: id, select: ["telephone1"] })).telephone1);
await step("stale", async () => {
  const etag = (await api.retrieve({ collection: "accounts", key: id, select: ["name"] }))["@odata.etag"];
  await api.update({ collection: "accounts", key: id, data: { name: "Newer" } });
  return [
    await api.update({ collection: "accounts", key: id, data: { name: "Too late" }, ifmatch: etag }),
    await api.deleteRecord({ collection: "accounts", key: id, ifmatch: etag }),
  ];
});
await step("stale, propagated", () =>
  connect({ propagateErrors: true }).update({ collection: "accounts", key: id, data: { name: "Too late" }, ifmatch: 'W/"1"' }),
);
const upserted = "0f5c2a34-6a51-4d52-9f53-0d2c93a4b7f1";
await step("upsert", async () => [
  await api.upsert({ collection: "accounts", key: upserted, data: { name: "Upserted" }, ifmatch: "*" }),
  await api.upsert({ collection: "accounts", key: upserted, data: { name: "Upserted" } }),
  await api.upsert({ collection: "accounts", key: upserted, data: { name: "Twice" }, ifnonematch: "*" }),
]);

// Queries.
await step("create multiple", async () => {
  const Targets = Array.from({ length: 12 }, (_, n) => ({
    name: `Dozen ${n}`,
    numberofemployees: n,
    "@odata.type": "Microsoft.Dynamics.CRM.account",
  }));
  return (await api.callAction({ collection: "accounts", actionName: "Microsoft.Dynamics.CRM.CreateMultiple", action: { Targets } })).Ids.length;
});
await step("pages", async () => {
  const request = { collection: "accounts", select: ["name"], filter: "startswith(name,'Dozen')", orderBy: ["numberofemployees desc"], maxPageSize: 5, count: true };
  const first = await api.retrieveMultiple(request);
  const second = await api.retrieveMultiple(request, first.oDataNextLink);
  return [first.oDataCount, first.value.length, second.value[0].name];
});
await step("all", async () => (await api.retrieveAll({ collection: "accounts", select: ["name"], filter: "startswith(name,'Dozen')", maxPageSize: 5 })).value.length);
await step("count", async () => [
  await api.count({ collection: "accounts", filter: "startswith(name,'Dozen')" }),
  await api.countAll({ collection: "accounts", filter: "startswith(name,'Dozen')" }),
  (await api.count({ collection: "accounts" })) > 12,
]);
await step("expand", async () => {
  const found = await api.retrieveMultiple({
    collection: "contacts",
    filter: "_parentcustomerid_value ne null",
    top: 1,
    expand: [{ property: "parentcustomerid_account", select: ["name"] }],
  });
  return typeof found.value[0].parentcustomerid_account.name;
});
await step("long filter", async () => {
  const found = await api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: `name eq 'Dozen 3' or name eq '${long}'` });
  return found.value.map((row) => row.name);
});
await step("apply", async () => {
  const found = await api.retrieveMultiple({ collection: "accounts", apply: "filter(startswith(name,'Dozen'))/aggregate(numberofemployees with sum as staff)" });
  return found.value[0].staff;
});
const includeAnnotations = "*";
const fetchXml =
  '<fetch count="5"><entity name="account"><attribute name="name"/><order attribute="numberofemployees"/>' +
  '<filter><condition attribute="name" operator="like" value="Dozen%"/></filter></entity></fetch>';
await step("fetch", async () => {
  const first = await api.fetch({ collection: "accounts", includeAnnotations, fetchXml });
  const second = await api.fetch({
    collection: "accounts",
    includeAnnotations, fetchXml,
    pageNumber: first.PagingInfo.nextPage,
    pagingCookie: first.PagingInfo.cookie,
  });
  return [first.value.length, second.value[0].name];
});
await step("fetch all", async () => (await api.fetchAll({ collection: "accounts", includeAnnotations, fetchXml })).value.length);
await step("track changes", async () => {
  const first = await api.retrieveMultiple({ collection: "accounts", select: ["name"], trackChanges: true });
  await api.update({ collection: "accounts", key: id, data: { name: "Tracked" } });
  const changed = await api.retrieveMultiple({ collection: "accounts" }, first.oDataDeltaLink);
  return changed.value.map((row) => row.name);
});

// Relations, functions, actions.
const person = await api.create({ collection: "contacts", data: { lastname: "Related" } });
await step("lookup", async () => {
  await api.associateSingleValued({ collection: "accounts", primaryKey: id, navigationProperty: "primarycontactid", relatedCollection: "contacts", relatedKey: person });
  const bound = (await api.retrieve({ collection: "accounts", key: id, select: ["_primarycontactid_value"] }))._primarycontactid_value;
  await api.disassociateSingleValued({ collection: "accounts", primaryKey: id, navigationProperty: "primarycontactid" });
  const free = (await api.retrieve({ collection: "accounts", key: id, select: ["_primarycontactid_value"] }))._primarycontactid_value;
  return [bound === person, free];
});
await step("collection", async () => {
  const relation = { collection: "accounts", primaryKey: id, relationshipName: "contact_customer_accounts", relatedCollection: "contacts", relatedKey: person };
  await api.associate(relation);
  const there = await api.retrieveMultiple({ collection: `accounts(${id})/contact_customer_accounts`, select: ["lastname"] });
  await api.disassociate(relation);
  const gone = await api.retrieveMultiple({ collection: `accounts(${id})/contact_customer_accounts`, select: ["lastname"] });
  return [there.value.map((row) => row.lastname), gone.value.length];
});
const me = await api.callFunction({ functionName: "WhoAmI" });
await step("functions", async () => [
  Object.keys(me).filter((name) => name.endsWith("Id")).sort(),
  (await api.callFunction({ functionName: "Microsoft.Dynamics.CRM.RetrieveUserPrivileges", collection: "systemusers", key: me.UserId })).RolePrivileges.length > 0,
  (await api.callFunction({ name: "RetrieveTotalRecordCount", parameters: { EntityNames: ["account"] } })).EntityRecordCountCollection.Keys,
]);
await step("impersonated", async () => (await api.callFunction({ functionName: "WhoAmI", impersonate: me.UserId })).UserId === me.UserId);

// Files.
await step("file", async () => {
  const contract = await api.create({ collection: "con_contracts", data: { con_name: "Scanned" } });
  const data = Buffer.alloc(6 * 1024 * 1024, "scanned ");
  await api.uploadFile({ collection: "con_contracts", key: contract, property: "con_scan", fileName: "scan.pdf", data });
  const back = await api.downloadFile({ collection: "con_contracts", key: contract, property: "con_scan" });
  await api.deleteRecord({ collection: "con_contracts", key: contract, property: "con_scan" });
  const row = await api.retrieve({ collection: "con_contracts", key: contract, select: ["con_scan_name"] });
  return [back.fileName, back.fileSize, data.equals(Buffer.from(back.data)), row.con_scan_name];
});
await step("alternate key", async () => {
  const key = "con_number='7'";
  const made = await api.upsert({ collection: "con_contracts", key, data: { con_name: "By its number" } });
  const row = await api.retrieve({ collection: "con_contracts", key, select: ["con_name"] });
  return [made.length, row.con_name];
});

// Batches.
const batched = async (fill, request) => {
  api.startBatch();
  fill();
  return api.executeBatch(request);
};
await step("batch", async () => {
  const answers = await batched(() => {
    api.create({ collection: "accounts", data: { name: "Batch 1" } });
    api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: "name eq 'Dozen 4'" });
    api.count({ collection: "accounts", filter: "name eq 'Dozen 4'" });
    api.update({ collection: "accounts", key: id, data: { name: "Batch 2" } });
    api.deleteRecord({ collection: "accounts", key: upserted });
  });
  return [answers[0].length, answers[1].value[0].name, answers[2], answers[3], answers[4] ?? null];
});
await step("content id in a body", async () => {
  const [contact, account] = await batched(() => {
    api.create({ collection: "contacts", data: { lastname: "Of a batch" }, contentId: "1" });
    api.create({ collection: "accounts", data: { name: "With a contact", "primarycontactid@odata.bind": "$1" } });
  });
  return (await api.retrieve({ collection: "accounts", key: account, select: ["_primarycontactid_value"] }))._primarycontactid_value === contact;
});
await step("content id in a url", async () => {
  const [account] = await batched(() => {
    api.create({ collection: "accounts", data: { name: "By its id" }, contentId: "1" });
    api.create({ collection: "contact_customer_accounts", data: { lastname: "Below it" }, contentId: "$1" });
  });
  const below = await api.retrieveMultiple({ collection: `accounts(${account})/contact_customer_accounts`, select: ["lastname"] });
  return below.value.map((row) => row.lastname);
});
await step("content id of what is shown", async () => {
  const answers = await batched(() => {
    api.create({ collection: "contacts", data: { lastname: "Shown in a batch" }, contentId: "1", returnRepresentation: true });
    api.create({ collection: "accounts", data: { name: "Binds what is shown", "primarycontactid@odata.bind": "$1" }, returnRepresentation: true });
  });
  return [answers[0].lastname, answers[1]._primarycontactid_value === answers[0].contactid];
});
await step("without a change set", async () => {
  const answers = await batched(() => {
    api.create({ collection: "accounts", data: { name: "Alone 1" }, inChangeSet: false });
    api.create({ collection: "accounts", data: { name: "Alone 2" }, inChangeSet: false, returnRepresentation: true });
  }, { inChangeSet: false });
  return [answers[0].length, answers[1].name];
});
await step("address with a slash at the end", async () => {
  const slashed = connect({ serverUrl: `${url}/` });
  slashed.startBatch();
  slashed.create({ collection: "accounts", data: { name: "Slash" } });
  return (await slashed.executeBatch())[0].length;
});
await step("batch refused", async () => {
  await batched(() => {
    api.create({ collection: "accounts", data: { name: "Taken back" } });
    api.create({ collection: "accounts", data: { nothing: 1 } });
  });
});
await step("taken back", () => api.count({ collection: "accounts", filter: "name eq 'Taken back'" }));
await step("goes on", async () => {
  const answers = await batched(() => {
    api.create({ collection: "accounts", data: { nothing: 1 }, inChangeSet: false });
    api.create({ collection: "accounts", data: { name: "Behind" }, inChangeSet: false });
  }, { continueOnError: true });
  return answers.map((answer) => answer.status ?? answer.length);
});

// Definitions.
await step("entity names", async () => {
  const named = connect({ useEntityNames: true });
  return (await named.retrieveMultiple({ collection: "account", select: ["name"], top: 1 })).value.length;
});
await step("entities", async () => {
  const found = await api.retrieveEntities({ select: ["LogicalName"], filter: "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'" });
  return found.value.some((table) => table.LogicalName === "account");
});
await step("entity", async () => {
  const table = await api.retrieveEntity({ key: "LogicalName='account'", select: ["SchemaName"], expand: [{ property: "Attributes", select: ["LogicalName"] }] });
  return [table.SchemaName, table.Attributes.length > 50];
});
await step("attribute", async () => {
  const column = await api.retrieveAttribute({
    entityKey: "LogicalName='account'",
    attributeKey: "LogicalName='industrycode'",
    castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    select: ["LogicalName"],
    expand: [{ property: "OptionSet" }],
  });
  return column.OptionSet.Options[0].Label.UserLocalizedLabel.Label;
});
await step("relationships", async () => {
  const found = await api.retrieveRelationships({ castType: "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata", select: ["SchemaName"] });
  return found.value.some((each) => each.SchemaName === "systemuserroles_association");
});
await step("choices", async () => Array.isArray((await api.retrieveGlobalOptionSets({ select: ["Name"] })).value));
await step("metadata document", async () => (await api.retrieveCsdlMetadata({ addAnnotations: true })).slice(0, 60));

// Refusals.
await step("unknown property", () => api.create({ collection: "accounts", data: { nothing: 1 } }));
await step("unknown table", () => api.retrieveMultiple({ collection: "nothings" }));
await step("missing row", () => api.retrieve({ collection: "accounts", key: "00000000-0000-4000-8000-0000000000aa" }));
await step("no token", () => connect({ onTokenRefresh: async () => "nonsense" }).retrieveMultiple({ collection: "accounts" }));
await step("delete", () => api.deleteRecord({ collection: "accounts", key: id }));
