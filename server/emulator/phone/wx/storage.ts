// Storage per person and phone; the timeline's single page has its own.

import type { Phone } from "../runtime/phone.ts";
import { type Family, text } from "./api.ts";

const ONE_BYTES = 1024 * 1024;
const ALL_BYTES = 10 * 1024 * 1024;

export const storage: Family = (phone, add) => {
  const kept = new Kept(phone);
  add.now("setStorageSync", (key: string, data: unknown) => kept.set(key, data));
  add.now("getStorageSync", (key: string) => kept.get(key) ?? "");
  add.now("removeStorageSync", (key: string) => kept.remove(key));
  add.now("clearStorageSync", () => kept.clear());
  add.now("getStorageInfoSync", () => kept.info());
  add.later("setStorage", ({ key, data }) => kept.set(text(key), data));
  add.later("getStorage", ({ key }) => {
    const data = kept.get(text(key));
    if (data === undefined) throw new Error("data not found");
    return { data };
  });
  add.later("removeStorage", ({ key }) => kept.remove(text(key)));
  add.later("clearStorage", () => kept.clear());
  add.later("getStorageInfo", () => kept.info());
};

class Kept {
  private readonly prefix: string;

  constructor(phone: Phone) {
    this.prefix = `mp:${phone.start.person}:${phone.start.mode === "singlePage" ? "single:" : ""}`;
  }

  get(key: string): unknown {
    const found = localStorage.getItem(this.prefix + key);
    return found === null ? undefined : (JSON.parse(found) as { value: unknown }).value;
  }

  set(key: string, value: unknown): void {
    if (!key) throw new Error("parameter error: parameter.key should be String");
    const written = JSON.stringify({ value });
    if (written.length > ONE_BYTES) throw new Error("entry size limit reached");
    if (this.bytes() + written.length > ALL_BYTES) throw new Error("exceed storage max size 10Mb");
    try {
      localStorage.setItem(this.prefix + key, written);
    } catch {
      // The browser's limit may be lower than WeChat's; the program sees the same error.
      throw new Error("exceed storage max size 10Mb");
    }
  }

  remove(key: string): void {
    localStorage.removeItem(this.prefix + key);
  }

  clear(): void {
    for (const key of this.keys()) this.remove(key);
  }

  info(): object {
    return { keys: this.keys(), currentSize: Math.ceil(this.bytes() / 1024), limitSize: ALL_BYTES / 1024 };
  }

  private keys(): string[] {
    const all = Array.from({ length: localStorage.length }, (_nothing, index) => localStorage.key(index) ?? "");
    return all.filter((name) => name.startsWith(this.prefix)).map((name) => name.slice(this.prefix.length));
  }

  private bytes(): number {
    return this.keys().reduce((sum, key) => sum + (localStorage.getItem(this.prefix + key) ?? "").length, 0);
  }
}
