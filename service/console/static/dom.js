// Builds elements. Text is always text: nothing here can turn a string into markup.

/**
 * Return an element. `props`: attributes; `on…` functions listen; null, undefined and false are left out.
 * @param {string} tag
 * @param {Record<string, unknown>} [props]
 * @param {...unknown} children elements or text; null and false are left out
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put new content into a region; the keyboard's place is kept where an element of the same id is there again. */
export function fill(id, ...children) {
  const region = document.getElementById(id);
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  region.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) document.getElementById(focused)?.focus();
}

/** A button that copies text and says so. */
export function copyButton(text, what) {
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C";
      getSelection().selectAllChildren(button.parentElement.querySelector("code, pre"));
    }
    announce(button.textContent);
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

/** Text in a box, with a button to copy it. */
export function snippet(text, what, block = true) {
  const code = block ? h("pre", { tabindex: "0", role: "region", "aria-label": what }, h("code", {}, text)) : h("code", {}, text);
  return h("div", { class: block ? "snippet" : "snippet inline" }, code, copyButton(text, what));
}

/** Let a screen reader say something. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
