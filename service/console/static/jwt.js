// Looks into a JWT. Only the service judges access tokens; the page reads them to show them.

/** Return header and claims, or null where the text is no JWT. */
export function decode(token) {
  try {
    const [header, claims] = token.split(".").slice(0, 2).map(part);
    return { header, claims };
  } catch {
    return null;
  }
}

function part(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

/**
 * Return what is wrong with an ID token that came straight from the token endpoint (OpenID Connect Core 3.1.3.7), or null.
 * Its signature needs no check there: TLS has named the sender (step 6).
 */
export function faultOfIdToken(token, { issuer, clientId, nonce }, now = Date.now() / 1000) {
  const claims = decode(token ?? "")?.claims;
  if (!claims) return "there is no ID token";
  const audience = [claims.aud].flat();
  if (claims.iss !== issuer) return "its ID token names another issuer";
  if (!audience.includes(clientId)) return "its ID token is for another client";
  if (audience.length > 1 && claims.azp !== clientId) return "its ID token is for several clients";
  if (claims.nonce !== nonce) return "its ID token answers another sign-in";
  if (!(claims.exp > now - 60)) return "its ID token has expired";
  return null;
}
