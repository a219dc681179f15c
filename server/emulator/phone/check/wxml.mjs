/** Parses WXML into a flat list of tags with lines; validation is left to the compiler. */

const NAME = /[^\s=/>]/;

/**
 * The start tags of one template, in order.
 * @param {string} text
 * @returns {{name: string, line: number, within: string[], attributes: {name: string, value: string, line: number}[]}[]}
 *   `within` names the enclosing tags, the outermost first
 */
export function tags(text) {
  const reader = new Reader(text);
  const found = [];
  while (reader.toTag()) {
    const within = [...reader.open];
    const tag = { ...reader.tag(), within };
    found.push(tag);
    if (tag.closed) continue;
    if (tag.name === "wxs") reader.past("</wxs");
    else reader.open.push(tag.name);
  }
  return found;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.open = [];
  }

  line() {
    return this.text.slice(0, this.at).split("\n").length;
  }

  past(mark) {
    const found = this.text.indexOf(mark, this.at);
    this.at = found < 0 ? this.text.length : found + mark.length;
  }

  /** Moves to the next start tag, skipping texts, expressions, comments and end tags. */
  toTag() {
    while (this.at < this.text.length) {
      if (this.text.startsWith("{{", this.at)) this.past("}}");
      else if (this.text.startsWith("<!--", this.at)) this.past("-->");
      else if (/^<[A-Za-z]/.test(this.text.slice(this.at, this.at + 2))) return true;
      else if (this.text.startsWith("</", this.at)) this.end();
      else this.at += 1;
    }
    return false;
  }

  /** Closes the tag of this name and any tag left open inside it. */
  end() {
    this.at += 2;
    const opened = this.open.lastIndexOf(this.word());
    if (opened >= 0) this.open.length = opened;
  }

  tag() {
    const line = this.line();
    this.at += 1;
    const name = this.word();
    const attributes = [];
    for (;;) {
      this.blanks();
      if (this.at >= this.text.length) return { name, line, attributes, closed: true };
      if (this.text[this.at] === ">") {
        this.at += 1;
        return { name, line, attributes, closed: false };
      }
      if (this.text.startsWith("/>", this.at)) {
        this.at += 2;
        return { name, line, attributes, closed: true };
      }
      attributes.push(this.attribute());
    }
  }

  attribute() {
    const line = this.line();
    const name = this.word();
    if (name === "") this.at += 1;
    this.blanks();
    if (this.text[this.at] !== "=") return { name, value: "", line };
    this.at += 1;
    this.blanks();
    return { name, value: this.value(), line };
  }

  /** Reads a quoted value; quotation marks inside an expression belong to the expression. */
  value() {
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") return this.word();
    const from = (this.at += 1);
    while (this.at < this.text.length && this.text[this.at] !== quote) {
      if (this.text.startsWith("{{", this.at)) this.past("}}");
      else this.at += 1;
    }
    const value = this.text.slice(from, this.at);
    this.at += 1;
    return value;
  }

  word() {
    const from = this.at;
    while (this.at < this.text.length && NAME.test(this.text[this.at])) this.at += 1;
    return this.text.slice(from, this.at);
  }

  blanks() {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }
}
