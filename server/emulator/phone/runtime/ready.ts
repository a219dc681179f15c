// The lifetime `ready`: runs after a component's layout, inner components first.

import { glassEasel, type CodeSpace } from "glass-easel-miniprogram-adapter";
import type { Caller } from "./caller.ts";

export class Readiness {
  private waiting: glassEasel.GeneralComponent[] = [];

  /** Tracks every component that is defined in the space from now on. */
  follow(code: CodeSpace): void {
    const wait = (one: glassEasel.GeneralComponent): void => this.wait(one);
    const behavior = code.behavior().definition({
      lifetimes: {
        attached(this: Caller) {
          wait(this._$);
        },
      },
    } as never).register();
    code.setOverallBehavior((behavior as unknown as { _$: glassEasel.GeneralBehavior })._$);
  }

  /** Runs `ready` for all waiting components; a page calls this when it is first shown. */
  tell(): void {
    const ready = this.waiting.map((one) => ({ one, depth: depthOf(one) }));
    this.waiting = [];
    for (const { one } of ready.sort((a, b) => b.depth - a.depth)) if (glassEasel.Element.isAttached(one)) one.triggerLifetime("ready", []);
  }

  private wait(one: glassEasel.GeneralComponent): void {
    if (this.waiting.length === 0) window.setTimeout(() => this.tell(), 0);
    this.waiting.push(one);
  }
}

function depthOf(one: glassEasel.Element): number {
  let depth = 0;
  for (let at = one.getComposedParent(); at; at = at.getComposedParent()) depth += 1;
  return depth;
}
