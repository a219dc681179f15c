// Converts browser events to WeChat's: tap, longpress, and touches, also from a mouse.

export interface Finger {
  identifier: number;
  pageX: number;
  pageY: number;
  clientX: number;
  clientY: number;
}

export interface Gesture {
  type: string;
  detail: Record<string, unknown>;
  touches: Finger[];
  changedTouches: Finger[];
}

/** Delivers a gesture; returns whether a listener received it. */
export type Send = (target: Element, gesture: Gesture, event: Event) => boolean;

const LONG_PRESS_MS = 350;
const STILL_PX = 10;
const CAPTURE = { capture: true, passive: true };

const finger = (point: { clientX: number; clientY: number; identifier?: number }): Finger => ({
  identifier: point.identifier ?? 0,
  pageX: point.clientX,
  pageY: point.clientY,
  clientX: point.clientX,
  clientY: point.clientY,
});

/** Listens on the whole document. */
export function listenForGestures(send: Send): void {
  const press = new Press(send);
  listenForTouches(send, press);
  listenForMouse(send, press);
  document.addEventListener("click", (event) => tap(event, send, press), { capture: true });
}

function tap(event: MouseEvent, send: Send, press: Press): void {
  if (!(event.target instanceof Element)) return;
  if (press.wasLong) {
    press.wasLong = false;
    return;
  }
  const at = finger(event);
  const detail = { x: at.clientX, y: at.clientY };
  send(event.target, { type: "tap", detail, touches: [at], changedTouches: [at] }, event);
}

function listenForTouches(send: Send, press: Press): void {
  const forward = (event: TouchEvent): void => {
    if (!(event.target instanceof Element)) return;
    const touches = [...event.touches].map(finger);
    const changedTouches = [...event.changedTouches].map(finger);
    const [first] = changedTouches;
    if (event.type === "touchstart" && first) press.start(event.target, first, event);
    else if (event.type === "touchmove" && first) press.move(first);
    else press.end();
    send(event.target, { type: event.type, detail: {}, touches, changedTouches }, event);
  };
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"] as const)
    document.addEventListener(type, forward, { capture: true, passive: false });
}

/** A pressed mouse acts as a finger; mouse events synthesised by a touch screen are ignored. */
function listenForMouse(send: Send, press: Press): void {
  let down: Element | null = null;
  const forward = (type: string, event: PointerEvent): void => {
    if (!down) return;
    const at = finger(event);
    send(down, { type, detail: {}, touches: type === "touchend" ? [] : [at], changedTouches: [at] }, event);
  };
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0 || !(event.target instanceof Element)) return;
    down = event.target;
    press.start(down, finger(event), event);
    forward("touchstart", event);
  }, CAPTURE);
  document.addEventListener("pointermove", (event) => {
    press.move(finger(event));
    forward("touchmove", event);
  }, CAPTURE);
  document.addEventListener("pointerup", (event) => {
    press.end();
    forward("touchend", event);
    down = null;
  }, CAPTURE);
}

/** One press that becomes a longpress if it does not move for a while. */
class Press {
  wasLong = false;
  private at: Finger | null = null;
  private timer = 0;
  private readonly send: Send;

  constructor(send: Send) {
    this.send = send;
  }

  start(target: Element, at: Finger, event: Event): void {
    this.end();
    this.wasLong = false;
    this.at = at;
    this.timer = window.setTimeout(() => {
      const detail = { x: at.clientX, y: at.clientY };
      this.wasLong = this.send(target, { type: "longpress", detail, touches: [at], changedTouches: [at] }, event);
    }, LONG_PRESS_MS);
  }

  move(to: Finger): void {
    if (!this.at) return;
    if (Math.abs(to.clientX - this.at.clientX) > STILL_PX || Math.abs(to.clientY - this.at.clientY) > STILL_PX) this.end();
  }

  end(): void {
    window.clearTimeout(this.timer);
    this.at = null;
  }
}
