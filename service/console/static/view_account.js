// The top of the page: signed in or not, and what the page has to say about a sign-in.

import { fill, h, snippet } from "./dom.js";
import { state } from "./state.js";

export function renderAccount({ signIn, signOut }) {
  const { session } = state;
  fill("account", session
    ? [h("span", { class: "who" }, "Signed in as ", h("strong", {}, session.claims.preferred_username ?? session.claims.sub)),
       h("button", { type: "button", id: "sign-out", onclick: signOut }, "Sign out")]
    : h("button", { type: "button", class: "primary", id: "sign-in-top", onclick: signIn }, "Sign in"));
}

export function renderNotice() {
  const { notice } = state;
  fill("notice", notice && h("div", { class: `notice ${notice.kind}`, role: notice.kind === "bad" ? "alert" : "status" },
    h("p", {}, notice.text), notice.link && h("a", { href: notice.link }, notice.link)));
}

/** What a stranger is told first; a session has no need of it. */
export function renderIntroduction({ signIn }) {
  const { config, session } = state;
  if (session) return fill("introduction", h("h1", { class: "sr-only" }, "Secure MCP console"));
  fill("introduction", h("section", { class: "hero", "aria-labelledby": "hero-title" },
    h("div", {},
      h("h1", { id: "hero-title" }, "This MCP server answers only to tokens made for it."),
      h("p", { class: "lead" }, "Sign in at Keycloak, call a tool, meet a refusal, and get past it. ",
        "What you see here is what an MCP client goes through."),
      h("p", { class: "row" },
        h("button", { type: "button", class: "primary large", id: "sign-in", onclick: signIn }, "Sign in with Keycloak"),
        h("span", { class: "muted" }, "asks for ", config.first_scopes.map((name) => h("code", {}, name))))),
    h("div", { class: "endpoint" },
      h("h2", {}, "MCP endpoint"),
      snippet(config.resource, "the URL of the MCP endpoint", false),
      h("ol", { class: "steps" },
        h("li", {}, h("strong", {}, "Discover."), " A call without a token is answered 401, and says which authorization server to ask."),
        h("li", {}, h("strong", {}, "Sign in."), " Keycloak gives a token with the least scope, for this server alone."),
        h("li", {}, h("strong", {}, "Step up."), " A call that needs more is answered 403, and says what to ask for.")))));
}
