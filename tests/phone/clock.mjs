// A phone's clock that only a test moves: whatever waits longer than a moment waits for it.

const MOMENT_MS = 20;
const FIRST_ID = 1e9;

export class Clock {
  /** @param {number} at milliseconds since 1970 */
  constructor(at = Date.parse("2026-06-17T09:00:00+08:00")) {
    this.at = at;
    this.waiting = new Map();
    this.count = FIRST_ID;
  }

  install(window) {
    const real = {
      set: window.setTimeout.bind(window),
      clear: window.clearTimeout.bind(window),
      repeat: window.setInterval.bind(window),
      stop: window.clearInterval.bind(window),
    };
    const later = (run, ms, every, values) => {
      this.count += 1;
      this.waiting.set(this.count, { due: this.at + ms, every, run: () => run(...values) });
      return this.count;
    };
    const forget = (clear) => (id) => this.waiting.delete(id) || clear(id);
    window.Date.now = () => this.at;
    window.setTimeout = (run, ms = 0, ...values) => (ms < MOMENT_MS ? real.set(run, ms, ...values) : later(run, ms, 0, values));
    window.setInterval = (run, ms = 0, ...values) => (ms < MOMENT_MS ? real.repeat(run, ms, ...values) : later(run, ms, ms, values));
    window.clearTimeout = forget(real.clear);
    window.clearInterval = forget(real.stop);
  }

  /** Lets time go by; every timer that comes due runs at its own instant, in order. */
  async pass(ms, settled) {
    const end = this.at + ms;
    for (let next = this.next(end); next; next = this.next(end)) {
      const [id, timer] = next;
      this.at = Math.max(this.at, timer.due);
      if (timer.every > 0) timer.due += timer.every;
      else this.waiting.delete(id);
      timer.run();
      await settled();
    }
    this.at = end;
    await settled();
  }

  next(end) {
    const due = [...this.waiting].filter(([, timer]) => timer.due <= end);
    return due.sort(([, one], [, other]) => one.due - other.due)[0];
  }
}
