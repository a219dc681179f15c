// Light or dark: the variables of theme.json that settings name with an @.

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

  /** A program that does not say `"darkmode": true` is light, whatever the phone is. */
  get name(): ThemeName {
    return this.adapted && this.asked.matches ? "dark" : "light";
  }

  /** What WeChat tells a program of the phone's theme: nothing, where it has not adapted to it. */
  get told(): ThemeName | undefined {
    return this.adapted ? this.name : undefined;
  }

  /** Settings with the values of the variables that they name. */
  resolved<T>(settings: T): T {
    return this.put(settings) as T;
  }

  /** Calls when the phone changes between light and dark. */
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
