// The official TypeScript clients as a stranger who has nothing but a URL. What is ours: memory in place of a disk, a
// loopback listener in place of a desktop, and a line of JSON on stdout for each thing that happened.
//
// usage: node stranger.mjs sdk|client URL [REVISION]     (client: revision to pin, none means the handshake of 2025-11-25)
//
// It goes on when a line comes on stdin.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [flavour, url, revision] = process.argv.slice(2);
const library =
  flavour === "client"
    ? await import("@modelcontextprotocol/client")
    : {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
      };

const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const answers = [];
let arrived = () => {};
const listener = createServer((request, response) => {
  answers.push(new URL(request.url, "http://127.0.0.1").searchParams);
  response.end("back at the client");
  arrived();
});
await new Promise((done) => listener.listen(0, "127.0.0.1", done));
const redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;

async function answer() {
  if (answers.length === 0) await new Promise((done) => (arrived = done));
  return answers.shift();
}

const kept = {};
const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: `TypeScript stranger (${flavour})`,
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  state: () => (kept.state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => {
    kept.client = client;
    say("registered", { client_id: client.client_id, scope: client.scope });
  },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => {
    kept.tokens = tokens;
    say("tokens", tokens);
  },
  redirectToAuthorization: (target) => say("open", { url: target.href }),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (state) => void (kept.discovery = state),
  discoveryState: () => kept.discovery,
};

// What a client does at an UnauthorizedError: wait for the browser, hand the answer on, connect anew.
// An answer to another login than the last one is nobody's.
async function finish(transport) {
  let parameters;
  do parameters = await answer();
  while (parameters.get("state") !== kept.state);
  if (parameters.has("error")) {
    say("refused", { error: parameters.get("error"), iss: parameters.get("iss") });
    return false;
  }
  await (flavour === "client" ? transport.finishAuth(parameters) : transport.finishAuth(parameters.get("code")));
  return true;
}

async function connect() {
  const options = revision ? { versionNegotiation: { mode: { pin: revision } } } : {};
  for (;;) {
    const client = new library.Client({ name: "stranger", version: "1" }, options);
    const transport = new library.StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
    try {
      await client.connect(transport);
      return [client, transport];
    } catch (error) {
      if (!unauthorized(error)) throw error;
      await finish(transport);
    }
  }
}

const unauthorized = (error) =>
  error?.name === "UnauthorizedError" || error?.constructor?.name === "UnauthorizedError" || unauthorizedCause(error);
const unauthorizedCause = (error) => (error?.cause ? unauthorized(error.cause) : false);

// Calls a tool; a step-up goes through the browser. Returns undefined where the person or Keycloak said no.
async function call([client, transport], name, values) {
  try {
    return (await client.callTool({ name, arguments: values })).content[0].text;
  } catch (error) {
    if (!unauthorized(error)) throw error;
    if (!(await finish(transport))) return undefined;
    return (await client.callTool({ name, arguments: values })).content[0].text;
  }
}

let session = await connect();
say("called", { tool: "echo", text: await call(session, "echo", { text: "hello" }) });
try {
  say("called", { tool: "calculate", text: await call(session, "calculate", { expression: "6*7" }) });
} catch (error) {
  // No step-up at all: there is nothing more to see.
  say("failed", { message: error.message });
  process.exit(0);
}
await lines.next();
// A connection whose step-up was refused does not try again; a person who clicks "connect" begins a new one.
session = await connect();
say("called", { tool: "calculate", text: await call(session, "calculate", { expression: "6*7" }) });
await lines.next();
// As after some minutes: the access token is no good any more, and the library gets a new one by itself.
kept.tokens = { ...kept.tokens, access_token: "x.y.z" };
say("called", { tool: "calculate", text: await call(session, "calculate", { expression: "6*7" }) });
await session[0].close();
listener.close();
process.exit(0);
