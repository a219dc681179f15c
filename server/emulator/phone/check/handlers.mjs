/** Every handler in a template, and every field that it binds two-way, exists in the TypeScript. */

import { fault } from "./app.mjs";
import { moduleOf } from "./floors.mjs";

const EVENT = /^(?:capture-)?(?:mut-)?(?:bind|catch):?(.+)$/;
const WRITES = /^model:(.+)$/;
const NAME = /^[A-Za-z_$][\w$]*$/;
const FIELD = /^\{\{\s*([A-Za-z_$][\w$]*)/;

export function unboundHandlers(app) {
  return app.units().flatMap(({ path }) => {
    if (!app.has.has(`${path}.wxml`)) return [];
    const offered = offers(app, `${path}.ts`, new Set());
    const scripts = wxsModules(app.tags(`${path}.wxml`));
    return app.tags(`${path}.wxml`).flatMap((tag) =>
      tag.attributes
        .map((one) => wrong(one, offered, scripts))
        .map(
          (text, index) =>
            text && fault(tag.file, tag.attributes[index].line, `${text} of ${path}.ts`),
        )
        .filter(Boolean),
    );
  });
}

function wrong({ name, value }, offered, scripts) {
  if (WRITES.test(name)) {
    const field = FIELD.exec(value)?.[1];
    return offered.fields.has(field)
      ? null
      : `${name} writes "${field ?? value}", which is no field`;
  }
  const event = EVENT.exec(name);
  if (!event || value === "") return null;
  const script = FIELD.exec(value)?.[1];
  if (script && scripts.has(script)) return null;
  if (!NAME.test(value))
    return `${name} has "${value}" where a handler is named, which is no handler`;
  return offered.handlers.has(value) ? null : `${name} names "${value}", which is no handler`;
}

const wxsModules = (tags) =>
  new Set(
    tags
      .filter((tag) => tag.name === "wxs")
      .flatMap((tag) => tag.attributes.filter((one) => one.name === "module"))
      .map((one) => one.value),
  );

/** The members that a file defines, with those it mixes in from other files. */
function offers(app, file, seen) {
  if (seen.has(file) || !app.has.has(file)) return { handlers: new Set(), fields: new Set() };
  seen.add(file);
  const facts = app.source(file);
  const taken = facts.mixed
    .map((from) => moduleOf(app, file, from))
    .filter((one) => one !== null)
    .map((one) => offers(app, one, seen));
  return {
    handlers: new Set([facts, ...taken].flatMap((one) => [...one.handlers])),
    fields: new Set([facts, ...taken].flatMap((one) => [...one.fields])),
  };
}
