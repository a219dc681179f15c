// The server of a scene: answers from a script, each held against the document of the real one.

import { endpoint, known, ofAnswer, ofRequest } from "./document.mjs";

const HOST = "/phone/net/kepu.example.org";
/** Requests that the server lets nobody repeat without a name for the act. */
const KEYED = new Set([
  "POST /me/unit-requests",
  "POST /contests/{ref}/attempts", "POST /attempts/{ref}/next", "POST /attempts/{ref}/submission", "POST /practice",
  "POST /certificates", "POST /shares", "POST /me/consents", "POST /questions/{ref}/reports", "DELETE /me",
  "POST /activities/{ref}/signup", "DELETE /activities/{ref}/signup", "POST /activities/{ref}/signup/offer",
  "POST /staff/sessions/{ref}/walk-ins", "POST /activities/{ref}/feedback",
]);

/** A refusal as the server words it. */
export const refusal = (status, code, detail = "") => ({
  status,
  body: { type: `https://kepu.example.org/problems/${code}`, title: code, status, detail, code, request_id: "req_1" },
});

/** The network does not carry the request. */
export const OFFLINE = Symbol("offline");

/** An answer that waits until the scene lets it go. */
export function held(answer) {
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  return { release: () => release(), answer: () => gate.then(() => answer) };
}

export class Server {
  /** @param {Record<string, unknown>} script by endpoint: a body, {status, body}, OFFLINE, a function of the request, or a list of these, the last of which stays */
  /** @param {number} [clock] the server's time in every answer, in ms since 1970; without it no answer tells the time */
  constructor(script, clock) {
    this.clock = clock;
    this.script = { ...script };
    this.asked = [];
    /** What the document said against requests and answers. */
    this.faults = Object.keys(script).filter((name) => !known(name)).map((name) => `${name} is no endpoint of the server`);
    this.down = false;
  }

  /** Says something else from now on. */
  will(script) {
    this.faults.push(...Object.keys(script).filter((name) => !known(name)).map((name) => `${name} is no endpoint of the server`));
    Object.assign(this.script, script);
  }

  /** The requests to one endpoint. */
  to(name) {
    return this.asked.filter((one) => one.name === name);
  }

  /** The network of a phone. */
  net = async (url, init, window) => {
    const offline = () => new window.TypeError("Failed to fetch");
    const request = this.read(url, init);
    if (this.down || !request) throw offline();
    // A phone that stops waiting gets nothing, however late the answer comes.
    const stopped = new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(offline())));
    const answer = await Promise.race([this.answerTo(request), stopped]);
    if (answer === OFFLINE) throw offline();
    this.faults.push(...ofAnswer(request.endpoint, answer));
    const text = answer.body === undefined ? null : JSON.stringify(answer.body);
    return new Response(text, { status: answer.status, headers: { "content-type": "application/json", ...(this.clock && { "x-campaign-time": new Date(this.clock).toISOString() }) } });
  };

  read(url, { method = "GET", headers: given, body }) {
    const headers = Object.fromEntries(new Headers(given));
    const address = new URL(url, "http://phone");
    if (!address.pathname.startsWith(HOST)) {
      this.faults.push(`${url} is no address of the server`);
      return null;
    }
    const path = address.pathname.slice(HOST.length);
    const found = endpoint(method, path);
    if (!found) {
      this.faults.push(`${method} ${path} is no endpoint of the server`);
      return null;
    }
    const request = {
      name: found.name, endpoint: found, path: path.replace("/api/v1", ""), headers,
      query: Object.fromEntries(address.searchParams),
      body: typeof body === "string" ? JSON.parse(body) : body,
      key: headers["idempotency-key"],
    };
    this.asked.push(request);
    this.faults.push(...ofRequest(found, request));
    if (KEYED.has(found.name) !== (request.key !== undefined)) this.faults.push(`${found.name}: ${request.key ? "a" : "no"} key for the act`);
    return request;
  }

  async answerTo(request) {
    const scripted = this.script[request.name];
    const next = Array.isArray(scripted) ? (scripted.length > 1 ? scripted.shift() : scripted[0]) : scripted;
    if (next === undefined) {
      this.faults.push(`${request.name}: nothing is scripted`);
      return OFFLINE;
    }
    const answer = typeof next === "function" ? await next(request) : next;
    if (answer === OFFLINE || typeof answer?.status === "number") return answer;
    return { status: good(request.endpoint.operation), body: answer ?? undefined };
  }
}

const good = ({ responses }) => Number(Object.keys(responses).find((status) => status.startsWith("2")));
