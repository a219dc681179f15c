// Light and dark mode: the variables of theme.json that settings reference with @.

import type { Program } from "./program.ts";

type Variables = Record<string, string>;
export type ThemeName = "light" | "dark";

export class Theme {
  private readonly variables: Record<ThemeName, Variables> | undefined;
  private readonly adapted: boolean;
  private readonly asked = matchMedia("(prefers-color-scheme: dark)");

  constructor(program: Program) {
    this.variables = program.theme;
    this.adapted = program.app.darkmode === true;
  }

  /** A program without `"darkmode": true` is light in both modes. */
  get name(): ThemeName {
    return this.adapted && this.asked.matches ? "dark" : "light";
  }

  /** The theme that the program can read; undefined when it does not support dark mode. */
  get told(): ThemeName | undefined {
    return this.adapted ? this.name : undefined;
  }

  /** Replaces the variables in settings by their values. */
  resolved<T>(settings: T): T {
    return this.put(settings) as T;
  }

  /** Calls `hear` when the phone changes between light and dark. */
  onChange(hear: (name: ThemeName) => void): void {
    if (this.adapted) this.asked.addEventListener("change", () => hear(this.name));
  }

  private put(value: unknown): unknown {
    if (typeof value === "string") return value.startsWith("@") ? (this.variables?.[this.name][value.slice(1)] ?? value) : value;
    if (Array.isArray(value)) return value.map((one) => this.put(one));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.put(one)]));
  }
}
