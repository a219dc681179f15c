// Names that a browser's page has and WeChat's logic layer has not: in a program's scripts they are undefined.
// Of these Intl and the encoders exist on some phones and not on others.

/** In the scope of every script; a script may declare such a name for itself. */
export const ABSENT = (
  "window self frames parent top opener document location history navigator screen localStorage sessionStorage indexedDB caches cookieStore " +
  "fetch Request Response Headers FormData XMLHttpRequest WebSocket EventSource BroadcastChannel MessageChannel Worker SharedWorker postMessage " +
  "URL URLSearchParams Blob File FileReader TextEncoder TextDecoder ReadableStream CompressionStream AbortController AbortSignal " +
  "atob btoa crypto structuredClone Intl performance queueMicrotask requestAnimationFrame cancelAnimationFrame requestIdleCallback cancelIdleCallback " +
  "alert confirm prompt open close print getComputedStyle getSelection matchMedia scrollTo scrollBy addEventListener removeEventListener dispatchEvent " +
  "Event CustomEvent EventTarget Node Element HTMLElement Image Audio Option DOMParser XMLSerializer MutationObserver IntersectionObserver " +
  "ResizeObserver customElements CSS CSSStyleSheet Notification speechSynthesis innerWidth innerHeight devicePixelRatio name status event origin"
).split(" ");
