// The server's own OpenAPI document as the judge of every request and of every scripted answer.

import assert from "node:assert/strict";
import fs from "node:fs";

const PREFIX = "/api/v1";
const FILE = process.env.KEPU_OPENAPI;
assert.ok(FILE, "KEPU_OPENAPI names the file with the server's OpenAPI document");
const api = JSON.parse(fs.readFileSync(FILE, "utf8"));

const operations = Object.entries(api.paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${template.replace(PREFIX, "")}`,
    method: method.toUpperCase(),
    fits: new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+")}$`),
    operation,
  })),
);

/** The declared endpoint of a request, by method and path; of several the one without places first. */
export function endpoint(method, path) {
  const found = operations.filter((one) => one.method === method && one.fits.test(path));
  return found.sort((one, other) => one.name.split("{").length - other.name.split("{").length)[0];
}

/** Whether the document has an endpoint of this name, such as `GET /contests/{ref}`. */
export const known = (name) => operations.some((one) => one.name === name);

/** What the document says against a request; nothing where it is right. */
export function ofRequest({ operation, name }, { query, headers, body }) {
  const parameters = operation.parameters ?? [];
  const wrong = [];
  for (const [key, text] of Object.entries(query)) {
    const declared = parameters.find((one) => one.in === "query" && one.name === key);
    if (!declared) wrong.push(`query ${key} is not in the document`);
    else wrong.push(...faults(declared.schema, fromText(declared.schema, text), `query.${key}`));
  }
  if (headers["idempotency-key"] !== undefined) {
    const declared = parameters.find((one) => one.in === "header" && one.name === "Idempotency-Key");
    wrong.push(...(declared ? faults(declared.schema, headers["idempotency-key"], "Idempotency-Key") : ["Idempotency-Key is not taken here"]));
  }
  const taken = operation.requestBody?.content?.["application/json"];
  if (taken) wrong.push(...faults(taken.schema, body, "body"));
  return wrong.map((fault) => `${name}: ${fault}`);
}

/** What the document says against an answer. */
export function ofAnswer({ operation, name }, { status, body }) {
  const declared = operation.responses[String(status)];
  if (!declared) return [`${name}: status ${status} is not in the document`];
  const [media] = Object.values(declared.content ?? {});
  if (!media) return body === undefined ? [] : [`${name}: ${status} has no body in the document`];
  // A picture or a file has no schema.
  if (!media.schema) return [];
  return faults(media.schema, body, `${status}`).map((fault) => `${name}: ${fault}`);
}

const fromText = (schema, text) => (kinds(schema).includes("integer") ? Number(text) : text);
const kinds = (schema) => [schema.type, ...(schema.anyOf ?? []).map((one) => one.type)].flat();

const FORMATS = { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/, date: /^\d{4}-\d\d-\d\d$/ };
const TYPES = {
  null: (value) => value === null,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};
const SAID_ONLY = new Set(["title", "description", "default"]);

/** Each keyword that the document uses: complaints about `value`. */
const KEYWORDS = {
  $ref: (ref, value, at) => faults(api.components.schemas[ref.split("/").at(-1)], value, at),
  allOf: (all, value, at) => all.flatMap((one) => faults(one, value, at)),
  anyOf(all, value, at) {
    const each = all.map((one) => faults(one, value, at));
    return each.some((found) => found.length === 0) ? [] : each.sort((one, other) => depth(other) - depth(one))[0];
  },
  type: (type, value, at) => ([type].flat().some((one) => TYPES[one](value)) ? [] : [`${at} is ${said(value)}, not ${type}`]),
  enum: (all, value, at) => (all.includes(value) ? [] : [`${at} is ${said(value)}, none of ${all.join(" ")}`]),
  properties: (all, value, at) =>
    Object.entries(all).flatMap(([key, one]) => (value?.[key] === undefined ? [] : faults(one, value[key], `${at}.${key}`))),
  required: (all, value, at) => all.filter((key) => value?.[key] === undefined).map((key) => `${at} lacks ${key}`),
  additionalProperties(rule, value, at, { properties = {} }) {
    const more = Object.keys(value ?? {}).filter((key) => !(key in properties) && value[key] !== undefined);
    if (rule === false) return more.map((key) => `${at}.${key} is not in the document`);
    return rule === true ? [] : more.flatMap((key) => faults(rule, value[key], `${at}.${key}`));
  },
  propertyNames: (one, value, at) => Object.keys(value ?? {}).flatMap((key) => faults(one, key, `${at} key ${key}`)),
  items: (one, value, at) => (Array.isArray(value) ? value.flatMap((part, index) => faults(one, part, `${at}[${index}]`)) : []),
  pattern: (text, value, at) => (typeof value !== "string" || new RegExp(text, "u").test(value) ? [] : [`${at} is ${said(value)}`]),
  format: (name, value, at) => (typeof value !== "string" || FORMATS[name].test(value) ? [] : [`${at} is no ${name}: ${value}`]),
  minimum: (most, value, at) => (value >= most ? [] : [`${at} is ${value}, under ${most}`]),
  maximum: (most, value, at) => (value <= most ? [] : [`${at} is ${value}, over ${most}`]),
  minLength: (least, value, at) => (typeof value !== "string" || [...value].length >= least ? [] : [`${at} is shorter than ${least}`]),
  maxLength: (most, value, at) => (typeof value !== "string" || [...value].length <= most ? [] : [`${at} is longer than ${most}`]),
  minItems: (least, value, at) => ((value?.length ?? least) >= least ? [] : [`${at} has fewer than ${least} parts`]),
  maxItems: (most, value, at) => ((value?.length ?? 0) <= most ? [] : [`${at} has more than ${most} parts`]),
  minProperties: (least, value, at) => (Object.keys(value ?? {}).length >= least ? [] : [`${at} has fewer than ${least} parts`]),
  maxProperties: (most, value, at) => (Object.keys(value ?? {}).length <= most ? [] : [`${at} has more than ${most} parts`]),
};

const said = (value) => JSON.stringify(value) ?? "absent";
const depth = (found) => Math.max(...found.map((one) => one.split(/[ .[]/).length));

/** What a schema says against a value; a keyword that nobody here knows is a complaint too. */
export function faults(schema, value, at) {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (SAID_ONLY.has(keyword)) return [];
    const judge = KEYWORDS[keyword];
    return judge ? judge(rule, value, at, schema) : [`${at}: nobody judges by ${keyword}`];
  });
}
