// What went wrong or is missing, kept where tests and people can see it.

declare global {
  interface Window {
    /** Every failure: of the program's code, of its data, of the framework. */
    __errors: string[];
    /** Every API or element that was asked for and is not here. */
    __missing: string[];
  }
}

export type Fault = "onError" | "onUnhandledRejection";

/** Who hears of faults in the program's own code: the program itself, as WeChat lets it. */
export const faultHearers = new Set<(kind: Fault, facts: unknown) => void>();
let telling = false;

/** A fault within the telling of one is kept, but not told again. */
function tell(kind: Fault, facts: unknown): void {
  if (telling) return;
  telling = true;
  for (const hear of faultHearers) hear(kind, facts);
  telling = false;
}

window.__errors = [];
window.__missing = [];

/** Keep a failure, and say it in the console. */
export function failure(words: string): void {
  window.__errors.push(words);
  console.error(words);
}

/** A failure of the program's own code, of which the program is told. */
export function programFailure(where: string, thrown: unknown): void {
  const words = wordsOf(thrown);
  failure(where ? `${where}: ${words}` : words);
  tell("onError", words);
}

/** Keep the name of something that is asked for and not here; each name once. */
export function missing(name: string): void {
  if (window.__missing.includes(name)) return;
  window.__missing.push(name);
  console.warn(`not in this phone: ${name}`);
}

/** The words of anything thrown. */
export function wordsOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.stack ?? thrown.message;
  return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
}

/** Calls a function of the program; a throw is kept and does not spread. */
export function guarded<T>(where: string, call: () => T): T | undefined {
  try {
    return call();
  } catch (thrown) {
    programFailure(where, thrown);
    return undefined;
  }
}

/** Listens for what nobody caught. */
export function watchForTrouble(): void {
  window.addEventListener("error", (event) => {
    if (event.message) programFailure("", event.error ?? event.message);
  });
  window.addEventListener("unhandledrejection", (event) => {
    failure(`unhandled: ${wordsOf(event.reason)}`);
    tell("onUnhandledRejection", { reason: event.reason, promise: event.promise });
  });
}
