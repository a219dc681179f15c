/** The part of JSON Schema that our four schemas use; an unknown keyword is an error. */

const KIND = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** Each keyword validates one value: returns faults, or pairs of a path below and its schema. */
const WORDS = {
  $schema: () => [],
  title: () => [],
  type: (want, value) => (KIND(value) === want ? [] : [`is ${KIND(value)}, not ${want}`]),
  const: (want, value) => (value === want ? [] : [`must be ${JSON.stringify(want)}`]),
  enum: (want, value) => (want.includes(value) ? [] : [`must be one of ${want.join(", ")}`]),
  pattern: (want, value) =>
    typeof value !== "string" || new RegExp(want, "u").test(value) ? [] : [`does not fit ${want}`],
  minItems: (want, value) => (size(value) >= want ? [] : [`has fewer than ${want} entries`]),
  maxItems: (want, value) => (size(value) <= want ? [] : [`has more than ${want} entries`]),
  uniqueItems: (want, value) =>
    new Set((value ?? []).map((one) => JSON.stringify(one))).size === size(value)
      ? []
      : ["has an entry twice"],
  contains: (want, value) =>
    value.some((one) => complaints(want, one).length === 0)
      ? []
      : [`lacks ${JSON.stringify(want.const)}`],
  required: (want, value) => want.filter((key) => !(key in value)).map((key) => `lacks "${key}"`),
  items: (want, value) => value.map((one, index) => [index, want, one]),
  properties: (want, value) =>
    Object.keys(value)
      .filter((key) => key in want)
      .map((key) => [key, want[key], value[key]]),
  additionalProperties: (want, value, schema) => {
    const more = Object.keys(value).filter((key) => !(key in (schema.properties ?? {})));
    if (want !== false) return more.map((key) => [key, want, value[key]]);
    return more.map((key) => [key, null, value[key]]);
  },
};

const size = (value) => (Array.isArray(value) ? value.length : 0);

/** @returns {{path: (string|number)[], text: string}[]} the faults with their paths */
export function complaints(schema, value, path = []) {
  const said = (text) => ({ path, text: `${nameOf(path.at(-1))} ${text}` });
  if (schema === null) return [said("is no known key")];
  const type = WORDS.type(schema.type ?? KIND(value), value);
  if (type.length > 0) return type.map(said);
  return Object.entries(schema).flatMap(([word, want]) => {
    if (!(word in WORDS)) throw new Error(`schema word "${word}" is not understood`);
    return WORDS[word](want, value, schema).flatMap((one) =>
      typeof one === "string" ? [said(one)] : complaints(one[1], one[2], [...path, one[0]]),
    );
  });
}

function nameOf(place) {
  if (place === undefined) return "the file";
  return typeof place === "number" ? `entry ${place + 1}` : place;
}
