// Actions of a form that its buttons call.

import type { Host } from "../../runtime/element.ts";

export interface Form {
  submit(by: Host): void;
  reset(): void;
}

const forms = new WeakMap<Host, Form>();

export const formOf = (host: Host): Form | undefined => forms.get(host);

export const setForm = (host: Host, form: Form): void => void forms.set(host, form);
