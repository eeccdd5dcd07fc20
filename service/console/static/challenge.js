// Reads `WWW-Authenticate: Bearer …` (RFC 6750 section 3, RFC 9110 section 11.6.1).

/** Return the parameters of the Bearer challenge, or null. */
export function parseChallenge(header) {
  const begin = /^\s*Bearer\s+/i.exec(header ?? "");
  if (!begin) return null;
  const parameters = {};
  const pair = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,\s*|$)/gy;
  pair.lastIndex = begin[0].length;
  for (let found = pair.exec(header); found; found = pair.exec(header)) {
    parameters[found[1].toLowerCase()] = found[3] ?? found[2].replaceAll(/\\(.)/g, "$1");
  }
  return parameters;
}
