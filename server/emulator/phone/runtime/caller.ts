// A component as its own code sees it.

import type { glassEasel } from "glass-easel-miniprogram-adapter";

export interface Emitted {
  bubbles?: boolean;
  composed?: boolean;
}

/** `this` in a component's functions. */
export interface Caller {
  _$: glassEasel.GeneralComponent;
  data: Record<string, unknown>;
  is: string;
  setData(values: Record<string, unknown>, after?: () => void): void;
  triggerEvent(name: string, detail: unknown, options: Emitted): void;
  [name: string]: unknown;
}
