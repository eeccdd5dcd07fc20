// The tools, and the form of the chosen one.

import { announce, fill, h } from "./dom.js";
import { faultsByField } from "./outcome.js";
import { control, fieldsOf, valueOf } from "./schema.js";
import { covers, state } from "./state.js";

export function renderTools({ choose }) {
  fill("tools", h("ul", { class: "tools" }, state.config.tools.map((tool) => {
    const chosen = tool.name === state.tool;
    return h("li", {}, h("button", {
      type: "button", id: `tool-${tool.name}`, class: "tool", "aria-pressed": String(chosen), onclick: () => choose(tool.name),
    }, h("span", { class: "name" }, tool.title),
       h("span", { class: "needs" }, h("span", { class: covers(tool) ? "mark yes" : "mark no", "aria-hidden": "true" }),
         "needs ", tool.scopes.join(" "), h("span", { class: "sr-only" }, covers(tool) ? " (your token has it)" : " (your token lacks it)"))));
  })));
}

export function renderForm({ call }) {
  const tool = chosenTool();
  const fields = fieldsOf(tool);
  const values = state.sent[tool.name] ?? {};
  const form = h("form", { id: "call", novalidate: true, "aria-labelledby": "tool-title" },
    h("h3", { id: "tool-title" }, tool.title, " ", h("code", { class: "muted" }, tool.name)),
    h("p", {}, tool.description),
    fields.map((field) => control(field, state.sent[tool.name] ? values[field.name] ?? null : undefined)),
    h("p", { class: "row" },
      h("button", { type: "submit", class: "primary", id: "call-button" }, "Call"),
      h("span", { class: "muted", id: "call-as" }, state.session ? "with your token" : "without a token")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const args = read(form, fields);
    if (args) call(tool.name, args);
  });
  fill("form", form);
}

export function chosenTool() {
  return state.config.tools.find((tool) => tool.name === state.tool);
}

/** Return the arguments, or null with the faults shown. */
function read(form, fields) {
  const args = {};
  const faults = {};
  for (const field of fields) {
    try {
      const value = valueOf(field, form.elements[field.name]);
      if (value !== undefined) args[field.name] = value;
    } catch {
      faults[field.name] = "is no JSON; write text in \"quotes\", a list as [1, 2], an object as {\"a\": 1}";
    }
  }
  showFaults(faults);
  return Object.keys(faults).length ? null : args;
}

/** Show what the service found wrong beside the fields that it names; return what belongs to none of them. */
export function showToolError(text) {
  const { faults, rest } = faultsByField(text, fieldsOf(chosenTool()).map((field) => field.name));
  showFaults(faults);
  return rest;
}

function showFaults(faults) {
  for (const input of document.querySelectorAll("#call [name]")) {
    const fault = faults[input.name];
    const place = document.getElementById(`${input.id}-fault`);
    place.textContent = fault ? `${input.name} ${fault}` : "";
    place.hidden = !fault;
    if (fault) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  const first = Object.keys(faults)[0];
  if (!first) return;
  document.getElementById(`argument-${first}`).focus();
  announce(Object.entries(faults).map(([name, fault]) => `${name} ${fault}`).join("; "));
}
