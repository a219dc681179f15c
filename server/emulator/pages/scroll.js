// Scrolls a log to its newest line, unless the person has scrolled up.

export function keepEnd(log) {
  if (log.dataset.reading === undefined) log.scrollTop = log.scrollHeight;
}

export function toEnd(log) {
  delete log.dataset.reading;
  keepEnd(log);
}

export function watchEnd(log) {
  log.addEventListener("scroll", () => {
    if (log.scrollHeight - log.scrollTop - log.clientHeight < 80) delete log.dataset.reading;
    else log.dataset.reading = "";
  });
  const sizes = new ResizeObserver(() => keepEnd(log));
  for (const node of [log, ...log.children]) sizes.observe(node);
}
