// The phone's own clock: that of the emulated world, as every telephone follows the network's time.

/** Lets `Date` run this far ahead of the browser's clock; `ahead` is asked each time, in milliseconds. */
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
