// The DOM as the component framework uses it: `view` becomes <wx-view>, `h-div` a real <div>.

import { glassEasel } from "glass-easel-miniprogram-adapter";
import { listenForGestures, type Gesture } from "./gestures.ts";
import { hearsTaps, listenForKeys } from "./reachable.ts";
import { missing } from "./trouble.ts";

type Framed = Element & { __wxElement?: glassEasel.Element };
const LENGTH = /(?<![\w#.-])(-?\d*\.?\d+)(rpx|vh)\b/g;
const OWN_EVENTS = /^(animation|transition)/;

/** Converts the lengths of an inline style that depend on the phone. */
export const lengths = (style: string): string =>
  style.replace(LENGTH, (_all, number: string, unit: string) => `calc(${number} * var(--${unit}))`);

/** The framework's context; `around` wraps the delivery of every gesture. */
export function makeBackend(
  unknownTags: string[],
  around: (type: string, deliver: () => boolean) => boolean,
): glassEasel.CurrentWindowBackendContext {
  const backend = new glassEasel.CurrentWindowBackendContext();
  const unknown = new Set(unknownTags);
  backend.document = {
    createElement: (tag: string) => createElement(tag, unknown),
    createTextNode: (text: string) => document.createTextNode(text),
    createDocumentFragment: () => document.createDocumentFragment(),
  } as unknown as typeof backend.document;
  keepOwnEvents(backend);
  listenForKeys();
  listenForGestures((target, gesture, event) => around(gesture.type, () => deliver(target, gesture, event)));
  return backend;
}

/** Elements dispatch their own events; of the browser's events only animation ends pass through. */
function keepOwnEvents(backend: glassEasel.CurrentWindowBackendContext): void {
  backend.onEvent = (listener) => void ((backend as unknown as Record<string, unknown>)["_$eventListener"] = listener);
  const original = backend.setListenerStats.bind(backend);
  backend.setListenerStats = (element, type, ...rest) => {
    if (element && OWN_EVENTS.test(type)) original(element, type, ...rest);
    if (element && type === "tap") hearsTaps(element as unknown as Element);
  };
  backend.onEvent(glassEasel.Event.triggerEvent as never);
}

/** Whether a listener received it. */
function deliver(target: Element, gesture: Gesture, event: Event): boolean {
  // A disabled button ignores a tap; the elements around it receive it.
  const off = gesture.type === "tap" ? target.closest("wx-button[disabled]") : null;
  let at: Framed | null = off ? off.parentElement : target;
  while (at && !at.__wxElement) at = at.parentElement;
  if (!at?.__wxElement) return false;
  const { type, detail, touches, changedTouches } = gesture;
  let heard = false;
  const sent = new glassEasel.Event(type, detail, {
    originalEvent: event,
    bubbles: true,
    composed: true,
    capturePhase: true,
    extraFields: { touches, changedTouches },
    handleListenerReturn: () => void (heard = true),
  });
  glassEasel.Event.dispatchEvent(at.__wxElement, sent);
  if (type === "touchmove" && sent.defaultPrevented() && event.cancelable) event.preventDefault();
  return heard;
}

function createElement(tag: string, unknown: Set<string>): HTMLElement {
  if (unknown.has(tag)) missing(`<${tag}>`);
  const plain = tag.startsWith("h-");
  const element = document.createElement(plain ? tag.slice(2) : `wx-${tag}`);
  const set = element.setAttribute.bind(element);
  element.setAttribute = (name: string, value: unknown): void => {
    if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else if (name === "style") set(name, lengths(String(value)));
    else set(name, value === true ? "" : String(value));
  };
  Object.defineProperty(element, "id", {
    get: () => element.getAttribute("id") ?? "",
    set: (id: string) => set("id", id.replace(/^.*?--/, "")),
  });
  return element;
}
