import { ClientAssertionCredential, ClientSecretCredential } from "@azure/identity";
import { clientId, clientSecret, step, tenantId, url, whoAmI } from "./steps.mjs";

const scope = `${url}/.default`;
const options = { authorityHost: url, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };

const ask = async (tenant, client, secret, asked = scope) =>
  (await new ClientSecretCredential(tenant, client, secret, options).getToken(asked)).token;

const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
const first = await credential.getToken(scope);
await step("opens the web api", () => whoAmI(first.token));
await step("again", async () => (await credential.getToken(scope)).token === first.token);
await step("domain", async () => whoAmI(await ask("contoso.onmicrosoft.com", clientId, clientSecret)));
await step("wrong secret", () => ask(tenantId, clientId, "wrong"));
await step("unknown application", () => ask(tenantId, "00000000-0000-4000-8000-0000000000aa", clientSecret));
await step("unknown resource", () => ask(tenantId, clientId, clientSecret, "https://elsewhere.test/.default"));
await step("assertion", () =>
  new ClientAssertionCredential(tenantId, clientId, async () => "an assertion", options).getToken(scope),
);
