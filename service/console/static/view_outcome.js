// What came of the last call: in words, with the way on, and what went over the wire.

import { fill, h, snippet } from "./dom.js";
import { list } from "./outcome.js";
import { state } from "./state.js";
import { showToolError } from "./view_tools.js";

const MARKS = { answered: "✓", "tool-error": "!", refused: "✗", unavailable: "…" };

export function renderOutcome({ again, signInAndCall }) {
  const { outcome, answer, busy } = state;
  if (busy) return fill("outcome", h("p", { class: "muted" }, "The call is on its way …"));
  if (!outcome) return fill("outcome", h("p", { class: "empty" }, "Call a tool to see the answer, the refusal, and the way past it."));
  const text = outcome.kind === "tool-error" ? showToolError(outcome.text) || "See the fields that are marked." : outcome.text;
  fill("outcome", h("div", { class: `outcome ${outcome.kind}` },
    h("h3", {}, h("span", { class: "mark", "aria-hidden": "true" }, MARKS[outcome.kind]), outcome.title),
    text && h("p", { class: "words" }, text),
    "value" in outcome && snippet(show(outcome.value), "the result"),
    h("p", { class: "row" }, buttons(outcome, again, signInAndCall)),
    answer && !answer.failure && wire(answer)));
}

function buttons({ kind, next, missing }, again, signInAndCall) {
  if (next.retry) return h("button", { type: "button", class: "primary", id: "retry", onclick: again }, "Try again");
  if (!next.signIn) return kind === "answered" ? null : [];
  const words = missing?.length ? `Ask for ${list(missing)} and call again` : "Sign in and call again";
  return h("button", { type: "button", class: "primary", id: "step-up", onclick: () => signInAndCall(next.signIn) }, words);
}

function wire({ sent, status, statusText, headers, text, json, ms }) {
  const request = [`POST ${sent.path}`, ...Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}`), "", show(sent.body)];
  const answer = [`${status} ${statusText}`.trim(), ...[...headers].map(([name, value]) => `${name}: ${value}`), "", json ? show(json) : text];
  return h("details", { class: "wire" },
    h("summary", {}, `What went over the wire (${ms} ms)`),
    h("h4", {}, "Request"), snippet(request.join("\n"), "the request"),
    h("h4", {}, "Answer"), snippet(answer.join("\n"), "the answer"));
}

function show(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
