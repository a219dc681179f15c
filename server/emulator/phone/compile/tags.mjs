// The tags of a template, found without building a tree.

const GRAMMAR = new Set(["block", "template", "import", "include", "slot", "wxs"]);
const PIECE = /<!--[\s\S]*?-->|<wxs\b[^>]*[^/]>[\s\S]*?<\/wxs>|<([A-Za-z][\w-]*)|\{\{[\s\S]*?\}\}/g;

/** Elements of WeChat that this phone does not implement. */
export const NOT_HERE = new Set((
  "ad ad-custom audio camera channel-live channel-video double-tap-gesture-handler editor force-press-gesture-handler functional-page-navigator grid-builder " +
  "grid-view horizontal-drag-gesture-handler keyboard-accessory list-builder list-view live-player live-pusher long-press-gesture-handler map match-media " +
  "movable-area movable-view nested-scroll-body nested-scroll-header open-container pan-gesture-handler scale-gesture-handler selection share-element snapshot " +
  "span sticky-header sticky-section store-gift store-home store-product tap-gesture-handler vertical-drag-gesture-handler video voip-room web-view xr-frame"
).split(" "));

/** Every start tag that is not part of the template language, with its line. @param {string} text */
export function tagsOf(text) {
  /** @type {{ tag: string, line: number }[]} */
  const found = [];
  for (const match of text.matchAll(PIECE)) {
    if (match[1] === undefined || GRAMMAR.has(match[1])) continue;
    found.push({ tag: match[1], line: text.slice(0, match.index).split("\n").length });
  }
  return found;
}
