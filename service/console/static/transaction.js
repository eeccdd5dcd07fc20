// What must outlive the way to the authorization server and back: verifier, state, nonce, and what was to be called.
// Never a token. It is gone with the tab, and is taken out at the return, whatever the return says.

const KEY = "secure-mcp.transaction";

export function save(transaction) {
  sessionStorage.setItem(KEY, JSON.stringify(transaction));
}

/** Return the transaction and forget it; null when there is none. */
export function take() {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return text === null ? null : JSON.parse(text);
}
