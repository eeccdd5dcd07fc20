// Calls a tool as an MCP client does: JSON-RPC over Streamable HTTP, protocol 2026-07-28, each request on its own.

const PROTOCOL = "2026-07-28";
const META = "io.modelcontextprotocol/";
let requests = 0;

/**
 * Call a tool and return all that went over the wire; `failure` is set when nothing came back.
 * @param {{mcp_path: string, version: string}} config
 * @param {string | null} token without one the call goes out all the same, and is refused
 */
export async function callTool(config, token, tool, args) {
  requests += 1;
  const headers = {
    Accept: "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": PROTOCOL,
    "Mcp-Method": "tools/call",
    "Mcp-Name": tool,
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
  };
  const body = {
    jsonrpc: "2.0",
    id: requests,
    method: "tools/call",
    params: {
      name: tool,
      arguments: args,
      _meta: {
        [`${META}protocolVersion`]: PROTOCOL,
        [`${META}clientInfo`]: { name: "secure-mcp-console", version: config.version },
        [`${META}clientCapabilities`]: {},
      },
    },
  };
  const sent = { path: config.mcp_path, headers: token ? { ...headers, Authorization: "Bearer …" } : headers, body };
  const began = performance.now();
  try {
    const answer = await fetch(config.mcp_path, {
      method: "POST", headers, body: JSON.stringify(body), credentials: "omit", cache: "no-store",
    });
    const text = await answer.text();
    const ms = Math.round(performance.now() - began);
    return { sent, status: answer.status, statusText: answer.statusText, headers: answer.headers, text, json: parse(text), ms };
  } catch {
    return { sent, failure: true };
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
