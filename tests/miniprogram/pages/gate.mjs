// A gate before a server that answers from a script: tickets, a roster, a camera.

import { createHash, createHmac } from "node:crypto";
import { plain } from "../../phone/kit.mjs";
import { NOW } from "./answers.mjs";
import { asked } from "./scene.mjs";

export const SEND = "POST /staff/checkins";
export const ROSTER = "GET /staff/sessions/{ref}/roster";
export const SESSION = "GET /staff/sessions/{ref}";
export const HELD_BY = "GET /staff/sessions";
export const GRANT_CODE = `G1${"AB".repeat(13)}`;
export const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
export const instant = (ms) => new Date(ms).toISOString();

/** The code of the nth ticket. */
export const code = (n) => `K1${String(n).padStart(8, "A").replace(/[0189]/g, (digit) => "BCDE"["0189".indexOf(digit)])}${"Q".repeat(16)}`;
export const hash = (n) => createHash("sha256").update(code(n)).digest("hex");
export const COUNTERS = { admitted: 0, inside: 0, walk_ins: 0, expected: 120 };
export const GRANT = { session: { id: "a1", title: "讲座a1" }, gate: "东门", expires_at: instant(NOW + 10_800_000), roster_key: "k1" };
export const SESSION_BODY = {
  ...GRANT, venue: "报告厅", opens_at: instant(NOW - 600_000), starts_at: instant(NOW + 600_000), ends_at: instant(NOW + 7_800_000),
  phase: "open", checkout_needed: false, counters: COUNTERS,
};
export const entry = (n, changes = {}) => ({ ticket: hash(n), result: "OK", people: 1, in_at: null, name: `韦${n}*`, ...changes });

export function roster(...entries) {
  const made_at = instant(NOW - 60_000);
  const lines = entries.map(({ ticket, result, people, in_at, name }) => `${ticket} ${result} ${people} ${in_at ?? "-"} ${name}`);
  return { session: GRANT.session, made_at, entries, signature: createHmac("sha256", "k1").update(["a1", made_at, ...lines].join("\n")).digest("hex") };
}

/** A server that knows tickets by their code: a word, or the whole answer; all others are let in once. */
export function house(words = {}) {
  const seen = new Map();
  const inside = new Set();
  const say = ({ nonce, ticket, scanned_at: when, direction }) => {
    const usual = inside.has(ticket) === (direction === "out") ? "OK" : "ALREADY";
    const told = words[ticket] ?? usual;
    if (told === "OK") inside[direction === "in" ? "add" : "delete"](ticket);
    return { nonce, result: told, at: when, by: "西门", name: "韦**", people: 1, group: null, state: "confirmed", ...(typeof words[ticket] === "object" ? words[ticket] : {}) };
  };
  return ({ body }) => {
    for (const scan of body.scans) if (!seen.has(scan.nonce)) seen.set(scan.nonce, say(scan));
    return { results: body.scans.map(({ nonce }) => seen.get(nonce)), admitted: inside.size, inside: inside.size };
  };
}

export const usual = (script = {}, entries = [entry(1), entry(2), entry(3)]) => ({
  "POST /staff/grants": { status: 201, body: GRANT },
  [HELD_BY]: { items: [GRANT] },
  [SESSION]: SESSION_BODY,
  [ROSTER]: roster(...entries),
  [SEND]: house(),
  ...script,
});
export const HELD = { "checkin-grants": [{ ...GRANT, ended: false }] };
/** A camera that reads these texts, one after the other. */
export const camera = (...texts) => ({ scan: () => (texts.length > 0 ? { result: texts.shift(), scanType: "QR_CODE", path: "" } : null) });
/** The scanner with its roster. */
export const ready = (phone, server) => asked(phone, server, ROSTER);
export const kept = (phone) => plain(phone.wx.getStorageSync("checkin-scans-a1"));
export const next = async (phone, words) => {
  await phone.tap(phone.named(phone.page.data.shown ? phone.page.data.t.next : phone.page.data.t.scan));
  await phone.comes(words);
};
export const sent = (server) => server.to(SEND).flatMap(({ body }) => body.scans);
/** A scan that an earlier run of the program had stored. */
export const saved = (n, changes = {}) => ({ nonce: `n-${n}`, ticket: code(n), hash: hash(n), at: instant(NOW - 60_000), direction: "in", name: `韦${n}*`, party: 1, local: "OK", answer: null, refusal: "", ...changes });
