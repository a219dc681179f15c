// wx.request: only https to registered hosts, ten at once, any HTTP status is a success.

import type { Phone } from "../runtime/phone.ts";
import { type Facts, type Family, type Options, type Refusal, call, text } from "./api.ts";

const METHODS = new Set(["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"]);
const AT_ONCE = 10;
const TIMEOUT_MS = 60_000;
/** How long a request may run after the mini-program went to the background. */
const INTERRUPT_MS = 5000;
/** Response header in which the forwarder says why it refused. */
const REFUSED = "x-phone-refused";
const OUTSIDE = { errno: 600002, errMsg: "url not in domain list" };
const REFUSALS: Record<string, Refusal> = {
  domain: OUTSIDE,
  timeout: { errno: 5, errMsg: "timeout" },
  size: { errno: 600000, errMsg: "exceed max data size" },
};
const STOPPED: Record<string, Refusal> = {
  timeout: { errno: 5, errMsg: "timeout" },
  interrupted: { errno: 600003, errMsg: "interrupted" },
  abort: { errMsg: "abort" },
};

/** Slots for running requests; further requests wait. */
class Line {
  private free = AT_ONCE;
  private readonly waiting: (() => void)[] = [];

  async through<T>(run: () => Promise<T>): Promise<T> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.free -= 1;
    try {
      return await run();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

const line = new Line();

export const network: Family = (phone, add) => {
  add.now("request", (options: Options = {}) => started(phone, "request", options, (stop) => request(options, stop)));
};

/** Starts a request and returns its task, which is no promise. */
export function started(phone: Phone, name: string, options: Options, run: (stop: AbortSignal) => Promise<Facts>): object {
  const stop = new AbortController();
  const late = window.setTimeout(() => stop.abort("timeout"), Number(options["timeout"] ?? TIMEOUT_MS));
  let background = 0;
  const hidden = (): void => void (background = window.setTimeout(() => stop.abort("interrupted"), INTERRUPT_MS));
  const shown = (): void => window.clearTimeout(background);
  const { onAppHide, onAppShow } = phone.app.heard;
  onAppHide.add(hidden);
  onAppShow.add(shown);
  const work = async (): Promise<Facts> => {
    try {
      return await line.through(() => run(stop.signal));
    } catch (thrown) {
      if (stop.signal.aborted) throw STOPPED[String(stop.signal.reason)];
      throw thrown instanceof TypeError ? broken() : thrown;
    } finally {
      for (const timer of [late, background]) window.clearTimeout(timer);
      onAppHide.delete(hidden);
      onAppShow.delete(shown);
    }
  };
  call(phone, name, work, options);
  return { abort: () => stop.abort("abort"), onHeadersReceived: () => undefined, offHeadersReceived: () => undefined, onProgressUpdate: () => undefined };
}

/** A connection failure, worded as in WeChat's network library. */
function broken(): Refusal {
  const [number, name] = navigator.onLine ? [-102, "CONNECTION_REFUSED"] : [-106, "INTERNET_DISCONNECTED"];
  return { errno: 600001, errMsg: `errcode:${number} cronet_error_code:${number} error_msg:net::ERR_${name}` };
}

/** The forwarder's address for an address of the program; throws WeChat's refusals. */
export function forwarded(url: string): string {
  const match = /^https:\/\/([^/?#]+)([^#]*)/.exec(url);
  if (!match) throw OUTSIDE;
  const path = match[2] ?? "";
  return `/phone/net/${match[1]}${path.startsWith("/") ? path : `/${path}`}`;
}

/** Returns the response if it comes from the host itself; throws otherwise. */
export function fromHost(answer: Response): Response {
  const refusal = answer.headers.get(REFUSED);
  if (refusal !== null) throw REFUSALS[refusal] ?? OUTSIDE;
  return answer;
}

async function request(options: Options, signal: AbortSignal): Promise<Facts> {
  const method = text(options["method"] || "GET").toUpperCase();
  if (!METHODS.has(method)) throw new Error(`method ${method} is not supported`);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((options["header"] as object | undefined) ?? {})) headers[name.toLowerCase()] = text(value);
  headers["content-type"] ??= "application/json";
  delete headers["referer"];
  const inUrl = method === "GET" || method === "HEAD" || method === "OPTIONS";
  const url = forwarded(text(options["url"]) + (inUrl ? search(text(options["url"]), options["data"]) : ""));
  const body = inUrl ? undefined : bodyOf(options["data"], headers["content-type"]);
  const answer = fromHost(await fetch(url, { method, headers, body, signal }));
  return { data: await dataOf(answer, options), statusCode: answer.status, header: Object.fromEntries(answer.headers), cookies: [] };
}

function search(url: string, data: unknown): string {
  if (data === null || typeof data !== "object") return "";
  const pairs = Object.entries(data).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(text(value))}`);
  return pairs.length ? `${url.includes("?") ? "&" : "?"}${pairs.join("&")}` : "";
}

function bodyOf(data: unknown, type: string): BodyInit | undefined {
  if (data === undefined) return undefined;
  if (typeof data === "string" || data instanceof ArrayBuffer) return data;
  if (type.includes("x-www-form-urlencoded")) return search("", data).slice(1);
  return JSON.stringify(data);
}

async function dataOf(answer: Response, options: Options): Promise<unknown> {
  if (options["responseType"] === "arraybuffer") return answer.arrayBuffer();
  const got = await answer.text();
  if (options["dataType"] !== undefined && options["dataType"] !== "json") return got;
  try {
    return JSON.parse(got);
  } catch {
    // WeChat returns the text when it is not JSON.
    return got;
  }
}
