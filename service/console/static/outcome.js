// Says in words what an answer means and what to do next.

import { parseChallenge } from "./challenge.js";

/**
 * Return what happened.
 * `kind`: answered, tool-error, refused, unavailable. `next`: what gets past it: {signIn: scopes} or {retry: true}.
 * @param {object} answer of `callTool`
 * @param {{scopes: string[]} | null} session
 */
export function outcomeOf(answer, session) {
  if (answer.failure) {
    const text = "The service does not answer. Is it running? `secure-mcp status` tells.";
    return { kind: "unavailable", title: "No answer", text, next: { retry: true } };
  }
  const { status, json } = answer;
  if (status === 200 && json?.result) return ofResult(json.result);
  const described = json?.error_description ?? json?.error?.message ?? answer.statusText;
  const challenge = parseChallenge(answer.headers.get("www-authenticate"));
  if (status === 401) return ofUnauthorized(challenge, described);
  if (status === 403 && challenge?.error === "insufficient_scope") return ofScope(challenge, session);
  if (status === 429 || status === 503 || status === 502 || status === 504) {
    const seconds = answer.headers.get("retry-after");
    const text = `${sentence(described)}${seconds ? ` The service asks to wait ${seconds} s.` : ""} Your token is not at fault.`;
    return { kind: "unavailable", title: `${status}: not now`, text, next: { retry: true } };
  }
  return { kind: "refused", title: `${status}: refused`, text: sentence(described), next: {} };
}

function ofResult(result) {
  const text = (result.content ?? []).map((part) => part.text ?? `[${part.type}]`).join("\n");
  if (result.isError) return { kind: "tool-error", title: "The tool has no result", text, next: {} };
  const structured = result.structuredContent;
  const keys = Object.keys(structured ?? {});
  const value = keys.length === 1 && keys[0] === "result" ? structured.result : structured ?? text;
  return { kind: "answered", title: "200: answered", value, next: {} };
}

function ofUnauthorized(challenge, described) {
  const scopes = words(challenge?.scope);
  if (!challenge?.error) {
    const text = "No token came with the call. The refusal names where to get one, and the scope to ask for.";
    return { kind: "refused", title: "401: no token", text, challenge, next: { signIn: scopes } };
  }
  const text = `${sentence(challenge.error_description ?? described)} A new sign-in gives a new token.`;
  return { kind: "refused", title: "401: token not accepted", text, challenge, next: { signIn: scopes } };
}

function ofScope(challenge, session) {
  const needed = words(challenge.scope);
  const held = session?.scopes ?? [];
  const missing = needed.filter((name) => !held.includes(name));
  const has = held.length ? `holds only ${list(held)}` : "holds none of this server's scopes";
  const text = `You are known, but this call needs ${list(needed)}, and your token ${has}. Ask for more, and call again.`;
  return { kind: "refused", title: "403: insufficient scope", text, challenge, missing, next: { signIn: needed } };
}

const words = (text) => (text ?? "").split(" ").filter(Boolean);

/** Names in a sentence: a, b and c. */
export function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function sentence(text) {
  const trimmed = (text || "The request was not served").trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/**
 * Split what the service says about arguments ("name: fault; other: fault") by field; `rest` belongs to none.
 * @param {string} text
 * @param {string[]} names of the arguments
 */
export function faultsByField(text, names) {
  const faults = {};
  const rest = [];
  for (const piece of text.split("; ")) {
    const [name, fault] = [piece.slice(0, piece.indexOf(":")).split(".")[0], piece.slice(piece.indexOf(":") + 1).trim()];
    if (names.includes(name)) faults[name] = [faults[name], fault].filter(Boolean).join("; ");
    else rest.push(piece);
  }
  return { faults, rest: rest.join("; ") };
}
