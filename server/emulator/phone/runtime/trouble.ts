// Failures and missing features, collected for tests and people.

declare global {
  interface Window {
    /** Every failure of the program's code, its data or the framework. */
    __errors: string[];
    /** Every requested API or element that is not implemented. */
    __missing: string[];
  }
}

/** Error of wx functions that fail in the timeline's single page. */
export const UNAVAILABLE = "is not available in single page mode";

export type Fault = "onError" | "onUnhandledRejection";

/** The program's own error listeners. */
export const faultHearers = new Set<(kind: Fault, facts: unknown) => void>();
let telling = false;

/** An error inside an error listener is recorded, but not dispatched again. */
function tell(kind: Fault, facts: unknown): void {
  if (telling) return;
  telling = true;
  for (const hear of faultHearers) hear(kind, facts);
  telling = false;
}

window.__errors = [];
window.__missing = [];

/** Records a failure and writes it to the console. */
export function failure(words: string): void {
  window.__errors.push(words);
  console.error(words);
}

/** Records a failure of the program's code and dispatches it to the program. */
export function programFailure(where: string, thrown: unknown): void {
  const words = wordsOf(thrown);
  failure(where ? `${where}: ${words}` : words);
  tell("onError", words);
}

/** Records a requested name that is not implemented, once per name. */
export function missing(name: string): void {
  if (window.__missing.includes(name)) return;
  window.__missing.push(name);
  console.warn(`not in this phone: ${name}`);
}

/** The message of any thrown value. */
export function wordsOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.stack ?? thrown.message;
  return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
}

/** Calls a function of the program; an exception is recorded and not propagated. */
export function guarded<T>(where: string, call: () => T): T | undefined {
  try {
    return call();
  } catch (thrown) {
    programFailure(where, thrown);
    return undefined;
  }
}

/** Listens for uncaught exceptions. */
export function watchForTrouble(): void {
  window.addEventListener("error", (event) => {
    if (event.message) programFailure("", event.error ?? event.message);
  });
  window.addEventListener("unhandledrejection", (event) => {
    failure(`unhandled: ${wordsOf(event.reason)}`);
    tell("onUnhandledRejection", { reason: event.reason, promise: event.promise });
  });
}
