// Browser globals that WeChat's logic layer does not have: undefined in a program's scripts. Intl
// and the text encoders exist only on some phones, so they are undefined too.

/** These names are declared, without a value, around every script; a script may still declare one itself. */
export const ABSENT = (
  "window self frames parent top opener document location history navigator screen localStorage sessionStorage indexedDB caches cookieStore " +
  "fetch Request Response Headers FormData XMLHttpRequest WebSocket EventSource BroadcastChannel MessageChannel Worker SharedWorker postMessage " +
  "URL URLSearchParams Blob File FileReader TextEncoder TextDecoder ReadableStream CompressionStream AbortController AbortSignal " +
  "atob btoa crypto structuredClone Intl performance queueMicrotask requestAnimationFrame cancelAnimationFrame requestIdleCallback cancelIdleCallback " +
  "alert confirm prompt open close print getComputedStyle getSelection matchMedia scrollTo scrollBy addEventListener removeEventListener dispatchEvent " +
  "Event CustomEvent EventTarget Node Element HTMLElement Image Audio Option DOMParser XMLSerializer MutationObserver IntersectionObserver " +
  "ResizeObserver customElements CSS CSSStyleSheet Notification speechSynthesis innerWidth innerHeight devicePixelRatio name status event origin"
).split(" ");
