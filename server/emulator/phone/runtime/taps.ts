// Whether the running code was caused by a tap, by WeChat's rule: in the handler and its
// microtasks, and in callbacks of APIs that were called there; not after a timer.

export class Taps {
  private live = false;

  get tapped(): boolean {
    return this.live;
  }

  /** Runs the handler of a tap. */
  during<T>(run: () => T): T {
    this.live = true;
    // Registered before the handler runs, so before its own timers; microtasks run earlier.
    window.setTimeout(() => (this.live = false), 0);
    return run();
  }

  /** Wraps a callback so that it counts as caused by the current tap, if there is one. */
  carried<A extends unknown[], T>(run: (...values: A) => T): (...values: A) => T {
    return this.live ? (...values) => this.during(() => run(...values)) : run;
  }
}
