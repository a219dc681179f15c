// `hover-class`: a class while a finger is on an element.

import type { Host } from "../../runtime/element.ts";

/** Adds the class and removes it again, with the element's delays. */
export function hoverable(host: Host): void {
  let timer = 0;
  let on: string[] = [];
  const off = (): void => {
    host.el.classList.remove(...on);
    on = [];
  };
  const start = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      on = names(host);
      host.el.classList.add(...on);
    }, host.number("hoverStartTime"));
  };
  const end = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(off, host.number("hoverStayTime"));
  };
  for (const type of ["touchstart", "mousedown"]) host.el.addEventListener(type, start, { passive: true });
  for (const type of ["touchend", "touchcancel", "mouseup", "mouseleave"]) host.el.addEventListener(type, end, { passive: true });
}

function names(host: Host): string[] {
  const said = host.text("hoverClass");
  if (said === "" || said === "none") return [];
  const scope = host.phone.program.units[host.owner]?.scope;
  return said.split(/\s+/).filter(Boolean).map((name) => (scope ? `${scope}--${name}` : name));
}
