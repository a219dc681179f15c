// Whether the code that runs just now follows from a person's tap, by WeChat's rule:
// in the handler and its microtasks, and in answers of APIs that were called there; not after a timer.

export class Taps {
  private live = false;

  get tapped(): boolean {
    return this.live;
  }

  /** Runs what a tap causes. */
  during<T>(run: () => T): T {
    this.live = true;
    // Registered before the handler runs, so before any timer of its own; microtasks come earlier still.
    window.setTimeout(() => (this.live = false), 0);
    return run();
  }

  /** A function to be called later that counts as the tap's, if there is one now. */
  carried<A extends unknown[], T>(run: (...values: A) => T): (...values: A) => T {
    return this.live ? (...values) => this.during(() => run(...values)) : run;
  }
}
