// The compiler's output: the type of `window.__mp`.

import type { glassEasel } from "glass-easel-miniprogram-adapter";

export interface WindowSettings {
  navigationBarTitleText?: string;
  navigationBarBackgroundColor?: string;
  navigationBarTextStyle?: "black" | "white";
  navigationStyle?: "default" | "custom";
  backgroundColor?: string;
  enablePullDownRefresh?: boolean;
  onReachBottomDistance?: number;
  disableScroll?: boolean;
}

export interface TabItem {
  pagePath: string;
  text: string;
  iconPath?: string;
  selectedIconPath?: string;
}

export interface TabBar {
  list: TabItem[];
  color?: string;
  selectedColor?: string;
  backgroundColor?: string;
  borderStyle?: "black" | "white";
  /** The program has a custom tab bar, in custom-tab-bar/index. */
  custom?: boolean;
}

export interface AppSettings {
  pages: string[];
  /** The newer styles of six elements. */
  style?: "v2";
  /** Whether it supports dark mode. */
  darkmode?: boolean;
  window?: WindowSettings;
  /** The functions for positions that the program declares. */
  requiredPrivateInfos?: string[];
  /** The purpose of each permission, shown when the person is asked. */
  permission?: Record<string, { desc: string }>;
  tabBar?: TabBar;
  subPackages?: { root: string }[];
  subpackages?: { root: string }[];
}

export interface UnitSettings extends WindowSettings {
  component?: boolean;
  styleIsolation?: string;
  usingComponents: Record<string, string>;
}

export interface Unit {
  page: boolean;
  json: UnitSettings;
  scope?: string;
}

export interface Require {
  (name: string, done?: (exports: unknown) => void, failed?: (why: unknown) => void): unknown;
  async(name: string): Promise<unknown>;
}

export interface ModuleText {
  needs: Record<string, string>;
  run(require: Require, module: { exports: unknown }, exports: unknown): void;
}

export type Templates = Record<string, glassEasel.template.ComponentTemplate>;

export interface Program {
  app: AppSettings;
  /** The variables of theme.json, if app.json names one. */
  theme?: Record<"light" | "dark", Record<string, string>>;
  units: Record<string, Unit>;
  unknownTags: string[];
  /** Features of a template that the phone lacks: `file.wxml:line: what`. */
  gaps: string[];
  sheets: Record<string, string>;
  templates: Templates;
  /** The scripts, in a scope with WeChat's globals and without the browser's. */
  modules(global: object, globalThis: object): Record<string, ModuleText>;
}
