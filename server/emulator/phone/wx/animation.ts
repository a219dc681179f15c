// wx.createAnimation: records steps, which the element with this animation plays.

import type { Exported, Step } from "../runtime/animation.ts";
import type { Family } from "./api.ts";

interface Timing {
  duration?: number;
  delay?: number;
  timingFunction?: string;
  transformOrigin?: string;
}
type Builder = Record<string, unknown>;

const TYPES = (
  "opacity backgroundColor width height top left bottom right rotate rotateX rotateY rotateZ rotate3d scale scaleX scaleY scaleZ scale3d " +
  "translate translateX translateY translateZ translate3d skew skewX skewY matrix matrix3d"
).split(" ");

export const animation: Family = (_phone, add) => {
  add.now("createAnimation", (timing?: Timing) => builder(timing ?? {}));
};

function builder(timing: Timing): Builder {
  let steps: Step[] = [];
  // A transform continues in later steps until it is set again.
  let current = new Map<string, unknown[]>();
  const made: Builder = {
    step: (own: Timing = {}) => {
      steps.push({ animates: [...current].map(([type, args]) => ({ type, args })), option: optionOf({ ...timing, ...own }) });
      return made;
    },
    export: (): Exported => {
      const actions = steps;
      steps = [];
      return { actions };
    },
  };
  for (const type of TYPES) made[type] = (...args: unknown[]) => ((current = new Map(current).set(type, args)), made);
  return made;
}

function optionOf({ duration = 400, delay = 0, timingFunction = "linear", transformOrigin = "50% 50% 0" }: Timing): Step["option"] {
  return { transformOrigin, transition: { duration, delay, timingFunction } };
}
