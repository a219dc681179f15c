// Calling convention of wx functions: callbacks or a promise, `errMsg` in every result.

import type { Phone } from "../runtime/phone.ts";
import { isAlone, pointElsewhere, REFUSED_ALONE } from "../runtime/single.ts";
import { failure, guarded, UNAVAILABLE, wordsOf } from "../runtime/trouble.ts";

export type Facts = Record<string, unknown>;
export interface Options {
  success?: (answer: Facts) => void;
  fail?: (answer: Facts) => void;
  complete?: (answer: Facts) => void;
  [name: string]: unknown;
}

/** A refusal with WeChat's error numbers. */
export interface Refusal {
  errMsg: string;
  errCode?: number;
  errno?: number;
}

export type Run = (options: Options) => unknown;

/** One family of functions: adds them to `wx`. */
export type Family = (phone: Phone, add: Add) => void;

export interface Add {
  /** An asynchronous function. */
  later(name: string, run: Run): void;
  /** A synchronous function. */
  now(name: string, run: (...values: never[]) => unknown): void;
}

export const adder = (phone: Phone): Add => ({
  later: (name, run) => {
    const refused = (): never => {
      // Without a tap the call fails silently.
      if (phone.taps.tapped) pointElsewhere(phone);
      throw new Error(UNAVAILABLE);
    };
    phone.api[name] = (options?: Options) =>
      call(phone, name, REFUSED_ALONE.has(name) && isAlone(phone) ? refused : run, options ?? {});
  },
  now: (name, run) => void (phone.api[name] = run),
});

/**
 * Functions without a promise: their documentation says 以 Promise 风格调用：不支持, or they return a task.
 */
const WITHOUT_PROMISE: ReadonlySet<string> = new Set([
  "request", "uploadFile", "downloadFile", "login", "getGroupEnterInfo", "getShareInfo", "getPrivacySetting", "openPrivacyContract",
  "openOfficialAccountProfile", "getSystemInfoAsync", "enableAlertBeforeUnload", "disableAlertBeforeUnload",
]);

/** Calls a function; without callbacks most functions return a promise. */
export function call(phone: Phone, name: string, run: Run, options: Options): Promise<Facts> | undefined {
  const answered = answer(phone, name, run, options);
  const silent = !options.success && !options.fail && !options.complete;
  if (silent && !WITHOUT_PROMISE.has(name)) return answered;
  const [success, fail, complete] = [options.success, options.fail, options.complete].map((hear) => hear && phone.taps.carried(hear));
  answered.then(
    (facts) => tell(name, facts, success, complete),
    (refusal: Facts) => tell(name, refusal, fail, complete),
  );
  return undefined;
}

function answer(phone: Phone, name: string, run: Run, options: Options): Promise<Facts> {
  return new Promise((resolve, reject) => {
    const [yes, no] = [phone.taps.carried(resolve), phone.taps.carried(reject)];
    const refused = (thrown: unknown): void => no(refusalOf(name, thrown));
    const done = (facts: unknown): void => yes({ ...(facts as object), errMsg: `${name}:ok` });
    try {
      Promise.resolve(run(options)).then(done, refused);
    } catch (thrown) {
      refused(thrown);
    }
  });
}

function tell(name: string, facts: Facts, ...hearers: (Options["success"] | undefined)[]): void {
  for (const hear of hearers) if (hear) guarded(`${name} callback`, () => hear(facts));
}

/** The failure result for a thrown value. */
export function refusalOf(name: string, thrown: unknown): Facts {
  if (thrown instanceof Error) {
    if (thrown instanceof TypeError || thrown instanceof ReferenceError) failure(`${name}: ${wordsOf(thrown)}`);
    return { errMsg: `${name}:fail ${thrown.message}` };
  }
  const { errMsg = String(thrown), ...numbers } = thrown as Refusal;
  return { ...numbers, errMsg: `${name}:fail ${errMsg}` };
}

export const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
