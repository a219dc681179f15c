// Registers the built-in elements and the mini-program's own units in its space.

import { play, type Exported } from "./animation.ts";
import type { Caller } from "./caller.ts";
import { fitting, type Definition } from "./definition.ts";
import type { Host, ElementKind, Mounted, Value } from "./element.ts";
import { remember } from "./element.ts";
import type { Load } from "./modules.ts";
import type { Phone } from "./phone.ts";
import type { Program } from "./program.ts";
import type { Space } from "./space.ts";
import { failure, guarded } from "./trouble.ts";

type Define = (definition?: Definition) => unknown;
interface Globals {
  Page: Define;
  Component: Define;
  Behavior: Define;
}

const ARIA = ["ariaLabel", "ariaRole", "ariaHidden", "ariaDisabled", "ariaChecked", "ariaSelected", "ariaExpanded", "ariaLive",
  "ariaLabelledby", "ariaDescribedby", "ariaModal", "ariaBusy", "ariaLevel", "ariaValuenow", "ariaValuemin", "ariaValuemax", "ariaValuetext",
  "ariaPressed", "ariaCurrent", "role"];
const COMMON: Record<string, Value> = {
  hidden: false, hoverClass: "", hoverStopPropagation: false, hoverStartTime: 50, hoverStayTime: 400, animation: null,
  ...Object.fromEntries(ARIA.map((name) => [name, null])),
};
const TYPES: Record<string, unknown> = { string: String, number: Number, boolean: Boolean };
const TEMPLATE = { fallbackListenerOnNativeNode: true };

/** Registers a built-in element under its tag. */
export function addElement(space: Space, program: Program, kind: ElementKind, phone: () => Phone): void {
  const path = `wx-element/${kind.tag}`;
  const shell = `wx-element/${kind.shell}`;
  space.code.addComponentStaticConfig(path, { component: true, usingComponents: {} });
  space.code.addCompiledTemplate(path, { ...TEMPLATE, groupList: program.templates, content: program.templates[shell] } as never);
  const defaults = { ...COMMON, ...kind.properties };
  const names = Object.keys(defaults);
  const mounted = new WeakMap<Caller, { host: Host; part: Mounted | undefined }>();
  const update = (caller: Caller, name: string): void => {
    const one = mounted.get(caller);
    if (!one) return;
    reflect(one.host, name);
    one.part?.update?.(name);
  };
  space.code.component(path).definition({
    properties: Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, property(value)])),
    observers: names.map((name) => ({ fields: name, observer(this: Caller) { update(this, name); } })),
    lifetimes: {
      attached(this: Caller) {
        const host = hostFor(this, kind, phone());
        // A class in the template would get the element's own scope.
        if (kind.shell === "track") host.el.firstElementChild?.classList.add("wx-track");
        remember(host);
        for (const name of names) reflect(host, name);
        mounted.set(this, { host, part: undefined });
        mounted.set(this, { host, part: kind.mount?.(host) ?? undefined });
      },
      detached(this: Caller) {
        mounted.get(this)?.part?.unmount?.();
      },
    },
  } as never).register();
  const framework = space.code.getComponentSpace();
  framework.setGlobalUsingComponent(kind.tag, framework.getComponentByUrl(path, ""));
}

const property = (value: Value): object => ({ type: TYPES[typeof value] ?? null, value });

function hostFor(caller: Caller, kind: ElementKind, phone: Phone): Host {
  return {
    kind,
    phone,
    el: caller._$.$$ as unknown as HTMLElement,
    owner: caller._$.ownerShadowRoot?.getHostNode().is ?? "",
    text: (name) => String(caller.data[name] ?? ""),
    number: (name) => Number(caller.data[name] ?? 0),
    flag: (name) => Boolean(caller.data[name]),
    raw: (name) => caller.data[name],
    emit: (type, detail = {}, options = {}) => caller.triggerEvent(type, detail, options),
    change: (values) => caller.setData(values),
  };
}

function reflect(host: Host, name: string): void {
  const value = host.raw(name);
  if (name === "hidden") host.el.toggleAttribute("hidden", Boolean(value));
  else if (name === "animation") play(host.el, value as Exported | null);
  else if (name === "ariaRole" || name === "role") sayRole(host, value);
  else if (name.startsWith("aria")) host.el.setAttribute(`aria-${name.slice(4).toLowerCase()}`, value === null ? (value as never) : String(value));
  else if (host.kind.reflect?.includes(name)) host.el.setAttribute(name.toLowerCase(), value as string);
}

/** Both ways of writing a role are equivalent; an empty one is ignored. */
function sayRole(host: Host, value: unknown): void {
  if (value) host.el.setAttribute("role", String(value));
}

/** Registers sheets, templates and settings of every page and component. */
export function addUnits(space: Space, program: Program): void {
  space.backend.registerStyleSheetContent("app", program.sheets["app"] ?? "");
  space.code.addStyleSheet("app", "app");
  for (const [path, unit] of Object.entries(program.units)) {
    space.code.addComponentStaticConfig(path, unit.json as never);
    space.code.addCompiledTemplate(path, { ...TEMPLATE, groupList: program.templates, content: program.templates[path] } as never);
    space.backend.registerStyleSheetContent(path, program.sheets[path] ?? "");
    space.code.addStyleSheet(path, path, unit.scope);
  }
}

/**
 * Returns a function that runs the modules of pages and components, each with its own Page() and
 * Component().
 */
export function definer(space: Space, load: Load): (paths: string[]) => void {
  space.ready.follow(space.code);
  const named = namedBehaviors(space);
  const globals = window as unknown as Partial<Globals>;
  // Both exist in every script, but only define something in the file of a page or component.
  for (const name of ["Page", "Component"] as const)
    globals[name] = () => failure(`${name}() was called outside of the file of a page or component`);
  space.code.componentEnv("", ({ Behavior }) => void (globals.Behavior = fitted(named, Behavior as unknown as Define)));
  const define = (path: string): void =>
    void space.code.componentEnv(path, (env) => {
      const ours = env as unknown as Globals;
      const before = [globals.Page, globals.Component];
      globals.Page = fitted(named, ours.Page);
      globals.Component = fitted(named, ours.Component);
      guarded(path, () => load(path));
      [globals.Page, globals.Component] = before;
    });
  return (paths) => paths.forEach(define);
}

type Named = (name: string) => unknown;

/** WeChat's own behaviors, which a definition names by a string. */
function namedBehaviors(space: Space): Named {
  const made = new Map<string, unknown>();
  return (name) => {
    if (!made.has(name)) {
      const properties = name === "wx://form-field" ? { name: String, value: null } : {};
      made.set(name, space.code.behavior().definition({ properties } as never).register());
    }
    return made.get(name);
  };
}

const fitted = (named: Named, define: Define): Define => (definition) => define(definition && fitting(definition, named));
