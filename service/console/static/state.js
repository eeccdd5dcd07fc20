// What the page knows, in memory alone: gone with the page.

export const state = {
  config: null,
  /** @type {null | {accessToken: string, idToken: string, claims: object, scopes: string[], expiresAt: number, lifetime: number}} */
  session: null,
  tool: null,
  /** Arguments as they were last sent, by tool. */
  sent: {},
  outcome: null,
  answer: null,
  notice: null,
  busy: false,
  /** A refused call is repeated after the sign-in that it asked for. */
  callNow: false,
};

/** Return the scopes with all that they imply, as the service counts them. */
export function expanded(scopes) {
  const found = new Set();
  const pending = [...scopes];
  while (pending.length) {
    const name = pending.pop();
    if (!found.has(name)) {
      found.add(name);
      pending.push(...(state.config.scopes[name]?.implies ?? []));
    }
  }
  return found;
}

/** Whether the token covers what a tool asks for. Only for the picture: the service decides. */
export function covers(tool) {
  const held = expanded(state.session?.scopes ?? []);
  return tool.scopes.every((name) => held.has(name));
}

export function isExpired() {
  return state.session !== null && Date.now() >= state.session.expiresAt;
}

/** What to ask for at a sign-in: these scopes and those that the token has already (MCP authorization, step-up). */
export function union(scopes) {
  return [...new Set([...(state.session?.scopes ?? []), ...scopes])];
}
