// Packages of the program: the main one runs at the start, each other one when a page of it is first
// opened, and not before.

import type { Program } from "./program.ts";
import { missing } from "./trouble.ts";

export class Packages {
  private readonly roots: string[];
  private readonly waiting = new Map<string, string[]>();
  private readonly gaps: Map<string, string[]>;
  private readonly define: (paths: string[]) => void;

  /** `define` runs the modules of some pages and components. */
  constructor(program: Program, define: (paths: string[]) => void) {
    const { subPackages = program.app.subpackages ?? [] } = program.app;
    this.roots = subPackages.map(({ root }) => `${root.replace(/^\/|\/$/g, "")}/`);
    this.define = define;
    this.gaps = gapsByFile(program);
    for (const path of Object.keys(program.units)) {
      const root = this.rootOf(path);
      this.waiting.set(root, [...(this.waiting.get(root) ?? []), path]);
    }
  }

  /** The main package. */
  begin(): void {
    const files = [...this.gaps.keys()];
    this.run("");
    // Templates that several pages share belong to no package.
    for (const file of files) if (!this.rootOf(file)) this.tell(file);
  }

  /** The package of a page must have run; it cannot be fetched while there is no line. */
  need(path: string): void {
    const root = this.rootOf(path);
    if (root === "" || !this.waiting.has(root)) return;
    if (!navigator.onLine) throw new Error(`loadSubpackage: fail, "${root}" is not loaded and there is no network`);
    this.run(root);
  }

  private run(root: string): void {
    const paths = this.waiting.get(root) ?? [];
    this.waiting.delete(root);
    this.define(paths);
    for (const path of paths) this.tell(path);
  }

  /** What this phone lacks for a template is told when it comes into use. */
  private tell(file: string): void {
    for (const gap of this.gaps.get(file) ?? []) missing(gap);
    this.gaps.delete(file);
  }

  private rootOf(path: string): string {
    return this.roots.find((root) => path.startsWith(root)) ?? "";
  }
}

function gapsByFile(program: Program): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const gap of program.gaps) {
    const file = gap.split(".wxml:")[0]!;
    found.set(file, [...(found.get(file) ?? []), gap]);
  }
  return found;
}
