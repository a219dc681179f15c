// The phone's clock, which follows the emulated time.

/**
 * Shifts `Date` against the browser's clock; `ahead` returns milliseconds and is called each time.
 */
export function followClock(ahead: () => number): void {
  const Browsers = window.Date;
  const now = (): number => Browsers.now() + ahead();
  const PhoneDate = new Proxy(Browsers, {
    construct: (target, given, made) => Reflect.construct(target, given.length > 0 ? given : [now()], made),
    apply: () => new Browsers(now()).toString(),
    get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
  });
  Browsers.prototype.constructor = PhoneDate;
  window.Date = PhoneDate;
}
