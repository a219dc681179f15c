/* What an elder reader needs of a mini-program's page, measured where the page is drawn.
   Gives one line for each flaw; `floor` holds the least that is allowed, in CSS pixels and ratios. */
({ floor, root }) => {
  const CONTROLS = [
    "wx-button, wx-input, wx-textarea, wx-switch, wx-slider, wx-picker, wx-radio, wx-checkbox",
    "wx-navigator, a[href], button, input, select, textarea",
    "[role=button], [role=link], [role=tab], [role=radio], [role=checkbox], [role=switch]",
  ].join(",");
  const FIELDS = "input, textarea";
  const PICTURES = "wx-image, img, wx-canvas";
  const flaws = [];

  const seen = (node) => {
    const box = node.getBoundingClientRect();
    return node.checkVisibility({ visibilityProperty: true }) && box.width > 0 && box.height > 0;
  };
  const style = (node, part) => getComputedStyle(node, part);
  const words = (node) => node.textContent.replace(/\s+/g, " ").trim().slice(0, 40);
  const said = (node) =>
    `${node.tagName.toLowerCase()}${node.className ? `.${String(node.className).trim().split(/\s+/).join(".")}` : ""} "${words(node) || node.getAttribute("aria-label") || node.placeholder || ""}"`;
  const flaw = (kind, node, text) => flaws.push(`${kind}: ${said(node)} ${text}`);

  const rooms = [...document.querySelectorAll(root)].filter(seen);
  const all = rooms.flatMap((room) => [room, ...room.querySelectorAll("*")]).filter(seen);
  const hasText = (node) => [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  const texts = all.filter((node) => hasText(node) || (node.matches(FIELDS) && fieldText(node)));
  function fieldText(node) {
    return node.value || node.placeholder;
  }

  /* A control inside of a larger one is hit through that one. */
  const outermost = (node) => {
    let found = node;
    for (let up = node.parentElement; up && rooms.some((room) => room.contains(up)); up = up.parentElement)
      if (up.matches(`${CONTROLS}, wx-label, label`)) found = up;
    return found;
  };
  const controls = [...new Set(all.filter((node) => node.matches(CONTROLS)).map(outermost))];

  const targets = () => {
    for (const node of controls) {
      const { width, height } = node.getBoundingClientRect();
      if (Math.min(width, height) < floor.target - 0.5)
        flaw("target", node, `is ${Math.round(width)}x${Math.round(height)}, not ${floor.target}`);
    }
  };

  const sizes = () => {
    for (const node of texts) {
      const size = parseFloat(style(node).fontSize);
      if (size < floor.text - 0.05) flaw("text", node, `is ${size} px, not ${floor.text}`);
    }
  };

  const numbers = (colour) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue, alpha];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = (colour) => {
    const [red, green, blue] = colour
      .map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  /* Every colour that can lie behind a node: a gradient counts with each of its colours. */
  const behind = (node) => {
    if (node === null) return [[255, 255, 255, 1]];
    const { backgroundColor, backgroundImage } = style(node);
    const own = numbers(backgroundColor);
    const stops = (backgroundImage.match(/rgba?\([^)]*\)/g) ?? []).map(numbers);
    if (own[3] === 1 && stops.length === 0) return [own];
    const below = own[3] === 1 ? [own] : behind(node.parentElement).map((one) => over(own, one));
    if (stops.length === 0) return below;
    return stops.flatMap((stop) => below.map((one) => over(stop, one)));
  };
  const opacity = (node) =>
    node === null ? 1 : Number(style(node).opacity) * opacity(node.parentElement);

  const contrasts = () => {
    for (const node of texts) {
      const shown = node.matches(FIELDS) && !node.value ? style(node, "::placeholder") : style(node);
      const [red, green, blue, alpha] = numbers(shown.color);
      const drawn = [red, green, blue, alpha * opacity(node)];
      const least = Math.min(...behind(node).map((one) => ratio(over(drawn, one), one)));
      if (least < floor.contrast - 0.005)
        flaw("contrast", node, `is ${least.toFixed(2)}:1, not ${floor.contrast}:1`);
    }
  };

  /* The distance of two lines of one text, as drawn, in sizes of its letters. */
  const leading = () => {
    for (const node of texts) {
      const range = document.createRange();
      const tops = [...node.childNodes]
        .filter((one) => one.nodeType === 3 && one.data.trim())
        .flatMap((one) => {
          range.selectNodeContents(one);
          return [...range.getClientRects()].map((box) => box.bottom);
        })
        .sort((a, b) => a - b)
        .filter((top, index, list) => index === 0 || top - list[index - 1] > 3);
      const gaps = tops.slice(1).map((top, index) => top - tops[index]);
      const least = Math.min(...gaps) / parseFloat(style(node).fontSize);
      if (least < floor.leading - 0.02)
        flaw("leading", node, `is ${least.toFixed(2)}, not ${floor.leading}`);
    }
  };

  const clips = (node, side) => /hidden|clip/.test(style(node)[side]);
  const scrolls = (node, side) => /auto|scroll/.test(style(node)[side]);
  const above = (node) => (node.parentElement ? [node.parentElement, ...above(node.parentElement)] : []);

  /* Nothing is cut off, and nothing sticks out of the screen where no scrolling reaches it. */
  const overflow = () => {
    for (const node of all) {
      if (clips(node, "overflowX") && node.scrollWidth > node.clientWidth + 1 && words(node))
        flaw("overflow", node, `is cut at ${node.clientWidth} of ${node.scrollWidth} px width`);
      if (clips(node, "overflowY") && node.scrollHeight > node.clientHeight + 2 && words(node))
        flaw("overflow", node, `is cut at ${node.clientHeight} of ${node.scrollHeight} px height`);
    }
    for (const node of [...texts, ...controls]) {
      const { left, right } = node.getBoundingClientRect();
      const reached = above(node).some((one) => scrolls(one, "overflowX") && one.scrollWidth > one.clientWidth);
      if (!reached && (right > innerWidth + 1 || left < -1)) flaw("overflow", node, "sticks out of the screen");
    }
  };

  const hushed = (node) => node.closest("[aria-hidden=true]") !== null;
  const named = (node) =>
    node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || words(node) ||
    node.placeholder || node.alt || node.querySelector("[aria-label], [placeholder]") !== null;

  /* A screen reader has something to say of every control and every picture. */
  const names = () => {
    for (const node of controls) if (!hushed(node) && !named(node)) flaw("name", node, "has no name");
    for (const node of all.filter((one) => one.matches(PICTURES)))
      if (!hushed(node) && !named(node) && node.parentElement?.closest("wx-image") === null)
        if (!controls.some((one) => one.contains(node) && named(one)))
          flaw("name", node, "is a picture without words");
  };

  /* What a finger can press is reached by keyboard too, itself or by a part of it. */
  const FOCUSABLE = "button, input, textarea, select, a[href], [tabindex]";
  const off = (node) => node.matches("[disabled], [aria-disabled=true]");
  const reached = (node) => [node, ...node.querySelectorAll(FOCUSABLE)].some((one) => one.tabIndex >= 0);
  const reach = () => {
    for (const node of controls)
      if (!hushed(node) && !off(node) && !reached(node)) flaw("reach", node, "is out of reach of the keyboard");
  };

  if (rooms.length === 0) return [`nothing of ${root} is visible: nothing was measured`];
  for (const measure of [targets, sizes, contrasts, leading, overflow, names, reach]) measure();
  return [...new Set(flaws)];
}
