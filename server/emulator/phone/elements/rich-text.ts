// Formatted text: only WeChat's trusted tags and attributes, no scripts.

import type { ElementKind } from "../runtime/element.ts";
import { lengths } from "../runtime/backend.ts";

interface RichNode {
  type?: "node" | "text";
  name?: string;
  attrs?: Record<string, string>;
  children?: RichNode[];
  text?: string;
}

const TAGS = new Set((
  "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del div dl dt em fieldset font footer h1 h2 h3 h4 h5 h6 " +
  "header hr i img ins label legend li mark nav ol p pre q rt ruby s section small span strong sub sup table tbody td tfoot th thead tr tt u ul"
).split(" "));
const ATTRIBUTES: Record<string, string[]> = {
  col: ["span", "width"], colgroup: ["span", "width"], img: ["alt", "src", "height", "width"], ol: ["start", "type"], table: ["width"],
  td: ["colspan", "height", "rowspan", "width"], th: ["colspan", "height", "rowspan", "width"],
};

export const richText: ElementKind = {
  tag: "rich-text",
  shell: "empty",
  properties: { nodes: null, space: "", userSelect: false },
  reflect: ["space", "userSelect"],
  mount(host) {
    const url = (src: string): string => host.phone.files.url(src, host.owner);
    const draw = (): void => {
      const nodes = host.raw("nodes");
      const list = typeof nodes === "string" ? parsed(nodes) : ((nodes as RichNode[] | null) ?? []);
      host.el.replaceChildren(...list.flatMap((node) => made(node, url) ?? []));
    };
    draw();
    return { update: (name) => (name === "nodes" ? draw() : undefined) };
  },
};

function made(node: RichNode, url: (src: string) => string): Node | null {
  if (node.type === "text") return document.createTextNode(decoded(node.text ?? ""));
  const name = (node.name ?? "").toLowerCase();
  if (!TAGS.has(name)) return null;
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(node.attrs ?? {})) {
    if (key === "style") element.setAttribute("style", lengths(value));
    else if (key === "class") element.className = value;
    else if (ATTRIBUTES[name]?.includes(key)) element.setAttribute(key, key === "src" ? url(value) : value);
  }
  element.append(...(node.children ?? []).flatMap((child) => made(child, url) ?? []));
  return element;
}

/** Parses HTML into nodes, in a separate document where nothing loads or runs. */
function parsed(html: string): RichNode[] {
  const read = (node: Node): RichNode => {
    if (!(node instanceof Element) && node.nodeType === Node.TEXT_NODE) return { type: "text", text: node.textContent ?? "" };
    const element = node as Element;
    return {
      type: "node",
      name: element.localName ?? "",
      attrs: Object.fromEntries([...(element.attributes ?? [])].map(({ name, value }) => [name, value])),
      children: [...element.childNodes].map(read),
    };
  };
  return [...new DOMParser().parseFromString(html, "text/html").body.childNodes].map(read);
}

function decoded(text: string): string {
  const names: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'", "&nbsp;": "\u00a0" };
  return text.replace(/&(lt|gt|amp|quot|apos|nbsp);/g, (all) => names[all] ?? all);
}
