// The phone's clock is that of the emulated world.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.mjs";
import { onePage, open, plain } from "./kit.mjs";

const SCRIPT = "read: () => [Date.now(), new Date().getTime(), Date.parse(Date()), new Date(0).getTime()]";
const second = (ms) => Math.floor(ms / 1000) * 1000;

test("every way of asking for the time follows the world's clock, ahead and back", async () => {
  const clock = new Clock();
  const phone = await open(onePage("<view/>", SCRIPT), { clock });
  for (const ahead of [0, 300_000, 86_400_000, -120_000]) {
    phone.shell.clockAhead = ahead;
    const now = clock.at + ahead;
    assert.deepEqual(plain(phone.page.read()), [now, now, second(now), 0]);
  }
});

test("a given date is the given date, and dates stay dates", async () => {
  const phone = await open(onePage("<view/>", `read() {
    const day = new Date(2026, 5, 17);
    return [day.getDate(), day instanceof Date, day.constructor === Date, Date.UTC(1970, 0, 2), globalThis.Date === Date];
  }`));
  phone.shell.clockAhead = 5_000;
  assert.deepEqual(plain(phone.page.read()), [17, true, true, 86_400_000, true]);
});
