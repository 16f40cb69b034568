import { o } from "odata";
import { step, token, url } from "./steps.mjs";

const headers = { Authorization: `Bearer ${await token()}`, "Content-Type": "application/json" };
const root = `${url}/api/data/v9.2/`;
const batch = { boundaryPrefix: "batch_", changsetBoundaryPrefix: "changeset_", endpoint: "$batch" };
const service = (further = {}, useChangset = false) =>
  o(root, { headers: new Headers({ ...headers, ...further }), batch: { ...batch, useChangset } });
const shown = { Prefer: "return=representation" };

const made = await step("create", async () => {
  const row = await service(shown).post("accounts", { name: "O'Brien & Co", numberofemployees: 7 }).query();
  return { id: row.accountid, name: row.name };
});
const one = `accounts(${made.id})`;
await step("filter", async () => {
  const rows = await service()
    .get("accounts")
    .query({ $filter: "name eq 'O''Brien & Co'", $select: "name", $top: 2 });
  return rows.map((row) => row.name);
});
await step("one", async () => (await service().get(one).query({ $select: "name" })).name);
await step("patch", async () => (await service().patch(one, { name: "Changed" }).query()).status);
await step("several", async () => {
  const answers = await service().get(one).get("contacts").query({ $select: "createdon" });
  return [typeof answers[0].createdon, answers[1].length > 1];
});
await step("expand", async () => {
  const rows = await service().get("contacts").query({
    $filter: "parentcustomerid_account/name ne null",
    $expand: "parentcustomerid_account($select=name)",
    $top: 1,
  });
  return typeof rows[0].parentcustomerid_account.name;
});
await step("batch", async () => {
  const answers = await service()
    .get(one)
    .post("accounts", { name: "Made in a batch" })
    .patch(one, { telephone1: "1" })
    .delete(one)
    .get("accounts")
    .batch();
  return answers.map((answer) => [answer.contentId, answer.status]);
});
await step("change set", async () => {
  const answers = await service({}, true)
    .post("accounts", { name: "Of a change set" })
    .post("accounts", { name: "Of a change set" })
    .batch();
  return answers.map((answer) => [answer.contentId, answer.status]);
});
await step("delete", async () => {
  const row = await service(shown).post("accounts", { name: "Gone" }).query();
  return (await service().delete(`accounts(${row.accountid})`).query()).status;
});
await step("refused", () => service().post("accounts", { nothing: 1 }).query());
await step("refusal", async () => {
  const answer = await service().post("accounts", { nothing: 1 }).fetch();
  return [answer.status, (await answer.json()).error.code];
});
