// Creating and finding nodes. Text of people and accounts is inserted as text, never as HTML.

export const $ = (id) => document.getElementById(id);

export const shown = (id, yes) => { $(id).hidden = !yes; };

export function make(tag, facts = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "class") node.className = value;
    else if (name === "tap") node.addEventListener("click", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
}

/** One of five colours, always the same for a person or a group. */
export function tintOf(id) {
  return [...id].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
}

export function face(name, id) {
  return make("span", { class: `face tint-${tintOf(id)}`, "aria-hidden": "true" }, [...name][0] ?? "人");
}

/** The avatar of a line's author. */
export function speaker(node, words) {
  node.removeAttribute("aria-hidden");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", words);
  return node;
}

export function badge(node, count) {
  node.hidden = count === 0;
  node.textContent = count > 99 ? "99+" : String(count);
  node.setAttribute("aria-label", `${count} 条未读`);
}

let quiet = 0;

/** Shows a short message at the bottom of the phone for five seconds. */
export function say(words) {
  $("said").textContent = words;
  clearTimeout(quiet);
  quiet = setTimeout(() => { $("said").textContent = ""; }, 5000);
}

/** Redraws a list; the focused entry keeps its focus. */
export function redraw(list, nodes, key) {
  const held = document.activeElement?.dataset?.[key];
  list.replaceChildren(...nodes);
  if (held !== undefined) list.querySelector(`[data-${key}="${CSS.escape(held)}"]`)?.focus();
}
