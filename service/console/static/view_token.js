// The access token, taken apart.

import { fill, h, snippet } from "./dom.js";
import { decode } from "./jwt.js";
import { state } from "./state.js";

// In the order of the questions that the server asks.
const MEANINGS = {
  iss: "who issued it: the issuer that this server trusts, or it is refused",
  aud: "whom it is for: this server must be among them",
  exp: "until when",
  iat: "since when",
  azp: "the client it was given to",
  sub: "the person it stands for, by number",
  preferred_username: "and by name",
  scope: "what it allows",
  sid: "the session at Keycloak: when that ends, the token is refused",
  jti: "its own number",
};

export function renderToken() {
  const token = state.session && decode(state.session.accessToken);
  document.getElementById("token-section").hidden = !token;
  if (!token) return fill("token");
  fill("token",
    h("p", { class: "muted" }, "A client treats its token as an opaque text; only the server that it is for judges it. ",
      "This page takes it apart for you, in this browser, and keeps it in memory alone."),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Claims of the token" }, h("table", {},
      h("caption", { class: "sr-only" }, "Claims of the access token"),
      h("thead", {}, h("tr", {}, ["Claim", "Value", "Meaning"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, Object.entries(MEANINGS).filter(([name]) => name in token.claims).map(([name, meaning]) => h("tr", {},
        h("th", { scope: "row" }, h("code", {}, name)),
        h("td", {}, shown(name, token.claims[name])),
        h("td", { class: "muted" }, meaning)))))),
    h("details", { class: "wire" }, h("summary", {}, "All of it as JSON"),
      snippet(JSON.stringify(token, null, 2), "header and claims")));
}

function shown(name, value) {
  if (name === "exp" || name === "iat") return new Date(value * 1000).toLocaleString();
  return [value].flat().map((entry) => h("code", {}, entry));
}
