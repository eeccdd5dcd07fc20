// Sign-in by authorization code with PKCE (OAuth 2.1 section 4.1), and sign-out (OpenID Connect RP-Initiated Logout 1.0).

import { decode, faultOfIdToken } from "./jwt.js";
import { challengeOf, random } from "./pkce.js";
import { save } from "./transaction.js";

/** Sign-in or sign-out did not work; the message says why and what to do. */
export class SignInError extends Error {}

const WORDS = {
  access_denied: "Keycloak says that the sign-in was refused. Nothing was granted.",
  invalid_scope: "Keycloak does not grant this scope to the console. It stands in access.yaml under optional_scopes.",
  invalid_grant: "Keycloak does not accept the code: it is valid once and for a minute. Sign in again.",
  temporarily_unavailable: "Keycloak is overloaded. Try again soon.",
};

/** Ask the authorization server who it is (OpenID Connect Discovery 1.0 section 4); no redirect leads to a dead server. */
export async function discover(issuer) {
  let found;
  try {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`, { credentials: "omit", cache: "no-store" });
    if (!answer.ok) throw new SignInError(`Keycloak answers ${answer.status}. Try again soon.`);
    found = await answer.json();
  } catch (error) {
    if (error instanceof SignInError) throw error;
    throw new SignInError(`Keycloak does not answer at ${new URL(issuer).origin}. Start it, then try again.`);
  }
  if (found.issuer !== issuer) throw new SignInError("Keycloak says that it is another issuer than this service trusts.");
  return found;
}

/**
 * Leave for the login page. `resume` is handed back at the return.
 * @param {{issuer: string, client_id: string, resource: string}} config
 * @param {{scopes: string[], redirectUri: string, resume?: unknown}} wish
 */
export async function signIn(config, { scopes, redirectUri, resume = null }) {
  const server = await discover(config.issuer);
  const transaction = { kind: "sign-in", state: random(), nonce: random(), verifier: random(), redirectUri, scopes, resume };
  const request = new URL(server.authorization_endpoint);
  request.search = new URLSearchParams({
    response_type: "code",
    client_id: config.client_id,
    redirect_uri: redirectUri,
    scope: ["openid", ...scopes].join(" "),
    state: transaction.state,
    nonce: transaction.nonce,
    code_challenge: await challengeOf(transaction.verifier),
    code_challenge_method: "S256",
    resource: config.resource,
  });
  save(transaction);
  location.assign(request);
}

/**
 * Turn the answer of the authorization server into a session.
 * @param {URLSearchParams} answer the query of the redirect
 */
export async function finishSignIn(config, transaction, answer) {
  if (transaction?.kind !== "sign-in" || answer.get("state") !== transaction.state) {
    throw new SignInError("This sign-in was not begun in this tab. Nothing was accepted; sign in from here.");
  }
  // RFC 9207 section 2.4, for errors, too: who sends the answer is who was asked.
  if (answer.get("iss") !== config.issuer) {
    throw new SignInError("The answer comes from another issuer than the one that was asked. Nothing was accepted.");
  }
  if (answer.has("error")) throw new SignInError(wordsFor(answer.get("error"), answer.get("error_description")));
  const server = await discover(config.issuer);
  const tokens = await requestToken(server.token_endpoint, {
    grant_type: "authorization_code",
    code: answer.get("code") ?? "",
    client_id: config.client_id,
    redirect_uri: transaction.redirectUri,
    code_verifier: transaction.verifier,
    resource: config.resource,
  });
  const fault = faultOfIdToken(tokens.id_token, {
    issuer: config.issuer, clientId: config.client_id, nonce: transaction.nonce,
  });
  if (fault) throw new SignInError(`The answer of Keycloak is not accepted: ${fault}.`);
  // The refresh token is dropped: a new sign-in costs one redirect while Keycloak's session lives.
  return {
    accessToken: tokens.access_token,
    idToken: tokens.id_token,
    claims: decode(tokens.access_token)?.claims ?? {},
    scopes: (tokens.scope ?? "").split(" ").filter((name) => name in config.scopes),
    expiresAt: Date.now() + tokens.expires_in * 1000,
    lifetime: tokens.expires_in,
    tokenType: tokens.token_type,
  };
}

async function requestToken(endpoint, parameters) {
  let answer;
  try {
    answer = await fetch(endpoint, { method: "POST", body: new URLSearchParams(parameters), credentials: "omit", cache: "no-store" });
  } catch {
    throw new SignInError("Keycloak did not answer the request for the token. Sign in again.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new SignInError(wordsFor(body.error ?? `HTTP ${answer.status}`, body.error_description));
  return body;
}

function wordsFor(error, description) {
  return WORDS[error] ?? `Keycloak refuses the sign-in: ${error}${description ? ` (${description})` : ""}.`;
}

/** Leave for the end of the session. By POST: an ID token in an address would stand in histories and logs. */
export async function signOut(config, { idToken, redirectUri }) {
  const server = await discover(config.issuer);
  const state = random();
  save({ kind: "sign-out", state });
  const form = document.createElement("form");
  form.method = "post";
  form.action = server.end_session_endpoint;
  const fields = { id_token_hint: idToken, client_id: config.client_id, post_logout_redirect_uri: redirectUri, state };
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

/** Whether the address is a return of a sign-out that this tab began. */
export function isSignedOut(transaction, answer) {
  return transaction?.kind === "sign-out" && answer.get("state") === transaction.state;
}
