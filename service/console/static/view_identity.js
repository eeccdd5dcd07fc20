// Who am I, what may I do, and for how long.

import { fill, h } from "./dom.js";
import { expanded, isExpired, state, union } from "./state.js";

export function renderIdentity({ stepUp }) {
  const { session, config } = state;
  const title = h("h2", { id: "identity-title" }, "Who am I");
  if (!session) {
    return fill("identity", title, h("p", {}, h("strong", {}, "Nobody."), " Calls go out without a token and are answered 401."));
  }
  const { claims } = session;
  fill("identity", title,
    h("dl", { class: "facts" },
      fact("User", claims.preferred_username ?? claims.sub),
      fact("Client", claims.azp),
      fact("Token for", [claims.aud].flat().map((audience) => h("code", {}, audience)))),
    h("div", { id: "expiry", class: "expiry" }),
    h("h3", {}, "Scopes"),
    h("ul", { class: "scopes" }, Object.entries(config.scopes).map(([name, scope]) => scopeRow(name, scope, stepUp))));
  renderExpiry({ stepUp });
}

function fact(name, value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}

function scopeRow(name, scope, stepUp) {
  const held = state.session.scopes.includes(name);
  const implied = !held && expanded(state.session.scopes).has(name);
  const word = held ? "held" : implied ? "implied" : "not held";
  return h("li", { class: word.replace(" ", "-") },
    h("span", { class: "mark", "aria-hidden": "true" }),
    h("div", {}, h("code", {}, name), " ", h("span", { class: "badge" }, word), h("p", { class: "hint" }, scope.description)),
    !held && !implied && h("button", {
      type: "button", class: "small", id: `ask-${name}`, "aria-label": `Ask for ${name}`, onclick: () => stepUp([name]),
    }, "Ask for it"));
}

/** Called every second: how long the token lives. */
export function renderExpiry({ stepUp }) {
  const region = document.getElementById("expiry");
  if (!region || !state.session) return;
  const seconds = Math.max(0, Math.ceil((state.session.expiresAt - Date.now()) / 1000));
  if (isExpired()) {
    if (region.dataset.expired) return;
    region.dataset.expired = "yes";
    fill("expiry", h("p", { class: "warn" }, "The token has expired. A call is answered 401 now."),
      h("button", { type: "button", class: "small", id: "renew", onclick: () => stepUp(union([])) }, "Get a new token"));
    return;
  }
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const text = region.querySelector("span");
  if (text) {
    text.textContent = clock;
    region.querySelector("progress").value = seconds;
    return;
  }
  fill("expiry", h("p", {}, "Token expires in ", h("span", { class: "clock" }, clock)),
    h("progress", { max: state.session.lifetime, value: seconds, "aria-label": "Remaining life of the token" }));
}
