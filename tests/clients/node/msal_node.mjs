import { ConfidentialClientApplication, LogLevel } from "@azure/msal-node";
import { authority, clientId, clientSecret, step, tenantId, url, whoAmI } from "./steps.mjs";

const scopes = [`${url}/.default`];
const knownAuthorities = [new URL(url).host];

function application(auth, secret = clientSecret) {
  return new ConfidentialClientApplication({
    auth: { clientId, clientSecret: secret, authority, knownAuthorities, ...auth },
    system: { loggerOptions: { logLevel: LogLevel.Error, loggerCallback: () => {} } },
  });
}

const ask = (client) => client.acquireTokenByClientCredential({ scopes });

const client = application({});
const first = await ask(client);
await step("opens the web api", () => whoAmI(first.accessToken));
await step("comes from", () => [first.fromCache, first.tokenType, first.tenantId]);
await step("again", async () => {
  const second = await ask(client);
  return [second.fromCache, second.accessToken === first.accessToken];
});
await step("domain", async () =>
  whoAmI((await ask(application({ authority: `${url}/contoso.onmicrosoft.com` }))).accessToken),
);
await step("oidc", async () =>
  whoAmI((await ask(application({ authority: `${url}/${tenantId}/v2.0`, protocolMode: "OIDC" }))).accessToken),
);
await step("wrong secret", () => ask(application({}, "wrong")));
await step("unknown application", () => ask(application({ clientId: "00000000-0000-4000-8000-0000000000aa" })));
await step("unknown tenant", () => ask(application({ authority: `${url}/fabrikam.example` })));
await step("http", () => ask(application({ authority: authority.replace("https:", "http:") })));
