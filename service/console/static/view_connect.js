// How to connect an MCP client: the texts come from the service.

import { fill, h, snippet } from "./dom.js";
import { state } from "./state.js";

export function renderConnect() {
  fill("connect", state.config.connect.map((way, index) => h("details", { open: index === 0, name: "connect" },
    h("summary", {}, way.title),
    h("p", {}, way.how),
    snippet(way.text, `the configuration of ${way.title}`))));
}
