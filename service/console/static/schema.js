// A form from a JSON Schema: one field for each argument. The service judges the values, the form only helps to write them.

import { h } from "./dom.js";

/** Return the fields of a tool: name, schema, whether required, and what to begin with. */
export function fieldsOf(tool) {
  const { properties = {}, required = [] } = tool.input_schema;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    schema: { ...schema, ...plain(schema) },
    required: required.includes(name),
    begin: tool.example[name] ?? schema.default,
  }));
}

/** An optional argument is often `anyOf: [X, null]`: what counts is X. */
function plain(schema) {
  const choices = (schema.anyOf ?? schema.oneOf ?? []).filter((choice) => choice.type !== "null");
  return choices.length === 1 ? choices[0] : {};
}

/** Return the labelled control of a field; `value` wins over what it begins with. */
export function control(field, value) {
  const id = `argument-${field.name}`;
  const hints = [field.schema.description, limits(field.schema)].filter(Boolean).join(" ");
  const common = { id, name: field.name, "aria-describedby": `${id}-hint ${id}-fault`, "aria-required": field.required || null };
  const input = inputFor(field.schema, common, value === undefined ? field.begin : value);
  const mark = field.required ? "required" : "optional";
  return h("div", { class: "field" },
    h("label", { for: id }, h("code", {}, field.name), h("span", { class: "muted" }, ` ${typeName(field.schema)}, ${mark}`)),
    input,
    h("p", { class: "hint", id: `${id}-hint` }, hints),
    h("p", { class: "fault", id: `${id}-fault`, hidden: true }));
}

function inputFor(schema, common, value) {
  if (schema.enum || schema.type === "boolean") {
    const choices = schema.enum ?? [true, false];
    const select = h("select", common, h("option", { value: "" }, "–"), choices.map((choice) => h("option", { value: JSON.stringify(choice) }, String(choice))));
    if (value !== undefined && value !== null) select.value = JSON.stringify(value);
    return select;
  }
  const asText = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const long = schema.type === "array" || schema.type === "object" || schema.maxLength > 1000;
  const numeric = schema.type === "integer" || schema.type === "number";
  const input = h(long ? "textarea" : "input", {
    ...common, type: long ? null : "text", rows: long ? 3 : null, inputmode: numeric ? "decimal" : null,
    spellcheck: "false", autocomplete: "off",
  });
  input.value = asText;
  return input;
}

/** Return the argument that a control holds, or undefined to leave it out. Throws a SyntaxError where it is no JSON. */
export function valueOf(field, control) {
  const { value } = control;
  if (control.tagName === "SELECT") return value === "" ? undefined : JSON.parse(value);
  if (value === "" && !(field.required && field.schema.type === "string")) return undefined;
  if (field.schema.type === "string") return value;
  if (field.schema.type === "integer" || field.schema.type === "number") {
    return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return JSON.parse(value);
}

function typeName(schema) {
  if (schema.enum) return "one of a list";
  return { string: "text", integer: "whole number", number: "number", boolean: "yes or no" }[schema.type] ?? "JSON";
}

function limits(schema) {
  const { minLength, maxLength, minimum, maximum } = schema;
  if (maxLength !== undefined) return `${minLength ?? 0} to ${maxLength.toLocaleString("en")} characters.`;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}.`;
  return "";
}
