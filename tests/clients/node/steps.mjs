// Prints what a client sees, step by step: one line of JSON for each, with the value or with the refusal.
const environment = process.env;

export const url = environment.TALENTVERSE_URL;
export const authority = environment.TALENTVERSE_AUTHORITY;
export const tenantId = environment.TALENTVERSE_TENANT_ID;
export const clientId = environment.TALENTVERSE_CLIENT_ID;
export const clientSecret = environment.TALENTVERSE_CLIENT_SECRET;

const readable = (value) => (value === undefined ? null : value);

export async function step(name, action) {
  let line;
  let value;
  try {
    value = await action();
    line = { name, value: readable(value) };
  } catch (error) {
    line = { name, error: describe(error) };
  }
  console.log(JSON.stringify(line));
  return value;
}

// Batches are refused with a list of errors, of which each holds the one of Dataverse; o.js throws the response.
export function describe(error) {
  const [first] = Array.isArray(error) ? error : [error];
  const { name, message, code, errorCode, status } = first;
  const inner = first.error ?? {};
  return { name, message: message || inner.message, code: readable(inner.code ?? code ?? errorCode), status: readable(status) };
}

// A token by the shortest way, for clients that take one.
export async function token() {
  const answer = await fetch(`${authority}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${url}/.default`,
    }),
  });
  return (await answer.json()).access_token;
}

export async function whoAmI(accessToken) {
  const headers = { Authorization: `Bearer ${accessToken}` };
  return (await fetch(`${url}/api/data/v9.2/WhoAmI`, { headers })).status;
}
