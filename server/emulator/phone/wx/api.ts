// How a wx function is called: callbacks or a promise, `errMsg` in every answer.

import type { Phone } from "../runtime/phone.ts";
import { failure, guarded, wordsOf } from "../runtime/trouble.ts";

export type Facts = Record<string, unknown>;
export interface Options {
  success?: (answer: Facts) => void;
  fail?: (answer: Facts) => void;
  complete?: (answer: Facts) => void;
  [name: string]: unknown;
}

/** A refusal with WeChat's numbers. */
export interface Refusal {
  errMsg: string;
  errCode?: number;
  errno?: number;
}

export type Run = (options: Options) => unknown;

/** One family of functions: adds them to `wx`. */
export type Family = (phone: Phone, add: Add) => void;

export interface Add {
  /** A function that answers later. */
  later(name: string, run: Run): void;
  /** A function that answers at once. */
  now(name: string, run: (...values: never[]) => unknown): void;
}

/** What the timeline's single page cannot do: nobody is signed in there, and it leads nowhere. */
const NOT_SINGLE = new Set((
  "login checkSession getUserProfile getGroupEnterInfo getShareInfo navigateTo redirectTo switchTab reLaunch navigateBack requestSubscribeMessage " +
  "authorize openSetting saveImageToPhotosAlbum openOfficialAccountProfile scanCode"
).split(" "));

/** What a page asks by itself; who tapped for the rest is told where it can be had. */
const UNASKED = new Set(["login", "checkSession", "getGroupEnterInfo", "getShareInfo"]);
const ELSEWHERE = "请前往小程序使用完整服务";

export const adder = (phone: Phone): Add => ({
  later: (name, run) => {
    const refused = (): never => {
      if (!UNASKED.has(name)) phone.overlay.toast(ELSEWHERE, { icon: "none", ms: 1500, mask: false });
      throw new Error("is not available in single page mode");
    };
    phone.api[name] = (options?: Options) =>
      call(phone, name, NOT_SINGLE.has(name) && phone.start.mode === "singlePage" ? refused : run, options ?? {});
  },
  now: (name, run) => void (phone.api[name] = run),
});

/** Calls and answers; without callbacks the answer is a promise. */
export function call(phone: Phone, name: string, run: Run, options: Options): Promise<Facts> | undefined {
  const answered = answer(phone, name, run, options);
  const silent = !options.success && !options.fail && !options.complete;
  if (silent) return answered;
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

/** What a program is told of a failure. */
export function refusalOf(name: string, thrown: unknown): Facts {
  if (thrown instanceof Error) {
    if (thrown instanceof TypeError || thrown instanceof ReferenceError) failure(`${name}: ${wordsOf(thrown)}`);
    return { errMsg: `${name}:fail ${thrown.message}` };
  }
  const { errMsg = String(thrown), ...numbers } = thrown as Refusal;
  return { ...numbers, errMsg: `${name}:fail ${errMsg}` };
}

export const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
