// htmx with the settings that work under the console's content policy: no eval, no inline styles,
// no requests to other hosts, no page in the browser's storage.

import htmx from "htmx.org/dist/htmx.esm.js";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  scrollBehavior: "auto",
  timeout: 30_000,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    // A refused form is a page too.
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});
