"""What an elder reader needs of a page, measured in the browser: each finds the offenders."""

from __future__ import annotations

VISIBLE = """
const seen = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 0;
const said = (node) => `${node.tagName}#${node.id}.${node.className} ${node.textContent.trim()}`;
const texts = [...document.querySelectorAll("body *")].filter((node) => seen(node) &&
  [...node.childNodes].some((part) => part.nodeType === 3 && part.data.trim()));
"""

# Units: CSS pixels; 44 each way is the smallest thing that a finger hits surely.
SMALL_TARGETS = f"""() => {{ {VISIBLE}
  const targets = [...document.querySelectorAll("a, button, input, textarea")].filter(seen);
  return targets.filter((node) => {{
    const box = node.getBoundingClientRect();
    return box.height < 43.5 || box.width < 43.5;
  }}).map(said);
}}"""

SMALL_TEXT = f"""() => {{ {VISIBLE}
  return texts.filter((node) => parseFloat(getComputedStyle(node).fontSize) < 16).map(said);
}}"""

# WCAG 2: (lighter + 0.05) / (darker + 0.05), against the nearest background that is painted.
CONTRAST = f"""() => {{ {VISIBLE}
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {{
    const [red, green, blue] = parts(colour).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }};
  const behind = (node) => {{
    for (let up = node; up; up = up.parentElement) {{
      const colour = getComputedStyle(up).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }}
    return "rgb(255, 255, 255)";
  }};
  return texts.map((node) => {{
    const both = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    return [(both[0] + 0.05) / (both[1] + 0.05), said(node)];
  }}).filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => `${{ratio.toFixed(2)}} ${{what}}`);
}}"""

OVERFLOW = """() => [...document.querySelectorAll("body, main, .view, .log")]
  .filter((node) => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1)
  .map((node) => `${node.tagName}#${node.id} ${node.scrollWidth} > ${node.clientWidth}`)"""

# What can be pressed or filled, as far as it is shown and not switched off.
_CONTROLS = f"""{VISIBLE}
const ROLES = "button link tab radio checkbox switch option menuitem".split(" ");
const controls = [...document.querySelectorAll(
  "a[href], button, input, select, textarea, [tabindex], " +
  ROLES.map((role) => `[role=${{role}}]`).join(", "))]
  .filter((node) => seen(node) && !node.disabled && !node.closest("[aria-hidden=true]"));
"""

# The name as a screen reader puts it together, as far as this page needs it.
NAMELESS = f"""() => {{ {_CONTROLS}
  const byId = (ids) => ids.split(" ")
    .map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const nameOf = (node) => [node.getAttribute("aria-label"),
    node.hasAttribute("aria-labelledby") ? byId(node.getAttribute("aria-labelledby")) : "",
    [...(node.labels ?? [])].map((label) => label.textContent).join(" "),
    node.tagName === "IFRAME" ? node.title : "", node.textContent, node.alt, node.title]
    .find((words) => words?.trim());
  return controls.filter((node) => !nameOf(node)).map(said);
}}"""

# A control that the Tab key never reaches.
UNREACHABLE = f"""() => {{ {_CONTROLS}
  return controls.filter((node) => node.tabIndex < 0 && node.id !== "title").map(said);
}}"""

# One main heading, no level left out, and every id once.
STRUCTURE = f"""() => {{ {VISIBLE}
  const wrong = [];
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(seen)
    .map((node) => Number(node.tagName[1]));
  levels.forEach((level, at) => {{
    if (at > 0 && level > levels[at - 1] + 1) wrong.push(`h${{level}} after h${{levels[at - 1]}}`);
  }});
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  wrong.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id ${{id}} twice`));
  for (const node of document.querySelectorAll("dialog[open]"))
    if (!node.getAttribute("aria-labelledby") && !node.getAttribute("aria-label"))
      wrong.push("a dialog without a name");
  return wrong;
}}"""
ACCESSIBILITY = (NAMELESS, UNREACHABLE, STRUCTURE)

# Whether the focused element shows that it is: an outline of two pixels, its own or around it.
SHOWS_FOCUS = """() => {
  const ring = (node) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(node);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  let node = document.activeElement;
  while (node && !ring(node)) node = node.parentElement;
  return node !== null;
}"""
