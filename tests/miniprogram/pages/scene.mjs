// One scene: the whole mini-program opened at one page, before a server that answers from a script.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "../../phone/clock.mjs";
import { built, open, plain, soon } from "../../phone/kit.mjs";
import { NOW, USUAL } from "./answers.mjs";
import { Server } from "./server.mjs";

let program;

/**
 * A test on the real program. At its end nothing may have failed, nothing may be missing, and neither
 * a request nor a scripted answer may be unknown to the server's document.
 * @param {string} name
 * @param {string} address the page and its query
 * @param {object} setting `script` over the usual answers, `answers` of the shell, `start` options, `keep` in storage, `before` the program runs
 * @param {(phone: any, server: Server) => Promise<void>} run
 */
export function scene(name, address, setting, run) {
  test(`${address}: ${name}`, async () => {
    const { phone, server } = await at(address, setting);
    await run(phone, server);
    await sound(phone, server);
  });
}

/** The phone at a page, and its server. */
export async function at(address, { script = {}, answers, start, keep = {}, search, before, serverClock } = {}) {
  program ??= built();
  const server = new Server({ ...USUAL, ...script }, serverClock);
  const [path, query = ""] = address.split("?");
  const opened = { path, query: Object.fromEntries(new URLSearchParams(query)), ...start };
  const storage = Object.entries(keep).map(([key, value]) => [`mp:wei:${key}`, JSON.stringify({ value })]);
  const phone = await open(await program, { answers, start: opened, net: server.net, clock: new Clock(NOW), search, storage, before });
  return { phone, server };
}

/** Nothing failed, nothing is missing, nobody spoke past the document. */
export async function sound(phone, server) {
  await soon();
  assert.deepEqual(plain(phone.errors), [], "the phone's failures");
  assert.deepEqual(plain(phone.missing), [], "what the phone lacks");
  assert.deepEqual(server.faults, [], "what the server's document says");
}

/** Longer than the pauses before a read is given up. */
export const GIVE_UP_MS = 2_000;

/** A request that is to come. */
export const asked = async (phone, server, name, count = 1) => {
  await phone.until(() => server.to(name).length >= count, () => `${count} × ${name} (but ${server.asked.map((one) => one.name).join(", ")})`);
  await soon();
  return server.to(name).at(-1);
};

/** The page that is to be open. */
export const on = (phone, path) => phone.until(() => phone.page?.route === path, () => `page ${path} (but ${phone.page?.route})`);
