// The tags that stand in a template, found without building a tree.

const GRAMMAR = new Set(["block", "template", "import", "include", "slot", "wxs"]);
const PIECE = /<!--[\s\S]*?-->|<wxs\b[^>]*[^/]>[\s\S]*?<\/wxs>|<([A-Za-z][\w-]*)|\{\{[\s\S]*?\}\}/g;

/** Every start tag that is not the language's own, with its line. @param {string} text */
export function tagsOf(text) {
  /** @type {{ tag: string, line: number }[]} */
  const found = [];
  for (const match of text.matchAll(PIECE)) {
    if (match[1] === undefined || GRAMMAR.has(match[1])) continue;
    found.push({ tag: match[1], line: text.slice(0, match.index).split("\n").length });
  }
  return found;
}
