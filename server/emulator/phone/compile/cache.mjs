// Compiler cache: results by the hash of their sources.

import crypto from "node:crypto";
import fs from "node:fs";

/** @param {string} text */
export const hash = (text) => crypto.createHash("sha256").update(text).digest("base64url").slice(0, 22);

/**
 * Results of one compile step, stored in one file; unused results are dropped at the end of a
 * build.
 */
export class Cache {
  /** @param {string} file @param {string} version a hash of the compiler itself */
  constructor(file, version) {
    this.file = file;
    this.version = version;
    /** @type {Record<string, string>} */
    this.old = {};
    /** @type {Record<string, string>} */
    this.used = {};
    if (!fs.existsSync(file)) return;
    const kept = JSON.parse(fs.readFileSync(file, "utf8"));
    if (kept.version === version) this.old = kept.results;
  }

  /** @param {string} kind @param {string} source @param {() => Promise<string>} make */
  async through(kind, source, make) {
    const key = `${kind}:${hash(source)}`;
    this.used[key] = this.used[key] ?? this.old[key] ?? (await make());
    return this.used[key];
  }

  save() {
    fs.writeFileSync(this.file, JSON.stringify({ version: this.version, results: this.used }));
  }
}
