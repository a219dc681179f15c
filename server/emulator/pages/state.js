// State of this tab: its person, and which lines were read.

const asked = new URLSearchParams(location.search);

export const person = asked.get("person") ?? "";

/** The mini-program page in the address, or null. */
export const wish = asked.get("path") === null ? null
  : { path: asked.get("path"), scene: Number(asked.get("scene") ?? 1001) };

export const CODES_SHOWN = 20;

export const phone = {
  owner: null, account: "", program: { name: "", appid: "" }, now: "", ahead: 0, after: 0, lastCard: 0,
  chat: [], notices: [], cards: [], groups: [], cut: false, codes: null, menu: "", typing: false, outbox: [],
  waiting: 0, shownCodes: CODES_SHOWN, lastAt: 0, view: "", talk: "", scanned: "", gone: false,
};

const NEVER = { chat: 0, notices: 0, got: 0, unread: 0, talks: {} };

export function memoryOf(who) {
  return { ...NEVER, ...JSON.parse(localStorage.getItem(`phone:${who}`)) };
}

export function remember(seen) {
  const text = JSON.stringify(seen);
  if (text !== JSON.stringify(memoryOf(person))) localStorage.setItem(`phone:${person}`, text);
}

/** Formats an instant as a chat shows it; both texts are in Beijing time. */
export function moment(at) {
  const [day, clock] = [at.slice(0, 10), at.slice(11, 16)];
  if (day === phone.now.slice(0, 10)) return clock;
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日 ${clock}`;
}
