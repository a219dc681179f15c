// Packages of the program: the main one runs at the start, each other one when one of its pages is
// first opened.

import type { Program } from "./program.ts";
import { missing } from "./trouble.ts";

export class Packages {
  private readonly program: Program;
  private readonly roots: string[];
  private readonly waiting = new Map<string, string[]>();
  private readonly gaps: Map<string, string[]>;
  private readonly define: (paths: string[]) => void;

  /** `define` runs the modules of some pages and components. */
  constructor(program: Program, define: (paths: string[]) => void) {
    this.program = program;
    const { subPackages = program.app.subpackages ?? [] } = program.app;
    this.roots = subPackages.map(({ root }) => `${root.replace(/^\/|\/$/g, "")}/`);
    this.define = define;
    this.gaps = gapsByFile(program);
    for (const path of Object.keys(program.units)) {
      const root = this.rootOf(path);
      this.waiting.set(root, [...(this.waiting.get(root) ?? []), path]);
    }
  }

  /** Runs the main package. */
  begin(): void {
    if (!this.waiting.has("")) return;
    const files = [...this.gaps.keys()];
    this.run("");
    // Templates that several pages share belong to no package.
    for (const file of files) if (!this.rootOf(file)) this.tell(file);
  }

  /**
   * Runs the package of a page and those of its components elsewhere; none can be loaded offline.
   */
  need(path: string): void {
    // App.onLaunch may navigate before the main package has run.
    this.begin();
    const wanted = [...this.rootsOf(path, new Set())].filter((root) => root !== "" && this.waiting.has(root));
    if (wanted.length > 0 && !navigator.onLine) throw new Error(`loadSubpackage: fail, "${wanted[0]}" is not loaded and there is no network`);
    for (const root of wanted) this.run(root);
  }

  private rootsOf(path: string, seen: Set<string>): Set<string> {
    seen.add(path);
    const used = Object.values(this.program.units[path]?.json.usingComponents ?? {}).map((name) => name.slice(1));
    const further = used.filter((name) => !seen.has(name)).flatMap((name) => [...this.rootsOf(name, seen)]);
    return new Set([this.rootOf(path), ...further]);
  }

  private run(root: string): void {
    const paths = this.waiting.get(root) ?? [];
    this.waiting.delete(root);
    this.define(paths);
    for (const path of paths) this.tell(path);
  }

  /** Reports missing features of a template when it is first used. */
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
