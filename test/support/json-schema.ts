/** As much of JSON Schema 2020-12 as our schemas use; a keyword beyond that is an error, so that none is passed over. */
import type { JsonSchema } from '@valibot/to-json-schema';

const annotations = new Set(['$schema', 'title', 'description', 'default']);

/** Where the value departs from the schema, as JSON pointers with the keyword; empty when it is valid. */
export function departures(schema: JsonSchema | boolean, value: unknown, at = ''): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${at} false`];
  return Object.keys(schema).flatMap((keyword) => {
    if (annotations.has(keyword)) return [];
    const check = keywords[keyword];
    if (!check) throw new Error(`the keyword ${keyword} is not known here`);
    const found = check(schema, value, at);
    return typeof found === 'boolean' ? (found ? [] : [`${at} ${keyword}`]) : found;
  });
}

type Check = (schema: JsonSchema, value: unknown, at: string) => boolean | string[];

const keywords: Readonly<Record<string, Check>> = {
  type: ({ type }, value) => (type === 'integer' ? Number.isInteger(value) : type === typeOf(value)),
  enum: (schema, value) => schema.enum!.some((word) => word === value),
  const: (schema, value) => schema.const === value,
  minLength: ({ minLength = 0 }, value) => typeof value !== 'string' || value.length >= minLength,
  maxLength: ({ maxLength = 0 }, value) => typeof value !== 'string' || value.length <= maxLength,
  format: ({ format }, value) => format !== 'date' || (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)),
  pattern: ({ pattern = '' }, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minimum: ({ minimum = 0 }, value) => typeof value !== 'number' || value >= minimum,
  maximum: ({ maximum = 0 }, value) => typeof value !== 'number' || value <= maximum,
  minItems: ({ minItems = 0 }, value) => !Array.isArray(value) || value.length >= minItems,
  items: ({ items }, value, at) =>
    Array.isArray(value) && items && !Array.isArray(items)
      ? value.flatMap((item, i) => departures(items, item, `${at}/${i}`))
      : [],
  anyOf: ({ anyOf = [] }, value, at) => anyOf.some((branch) => departures(branch, value, at).length === 0),
  required: ({ required = [] }, value) => !isMapping(value) || required.every((key) => Object.hasOwn(value, key)),
  properties: ({ properties = {} }, value, at) =>
    Object.entries(properties).flatMap(([key, schema]) =>
      isMapping(value) && Object.hasOwn(value, key) ? departures(schema, value[key], `${at}/${key}`) : [],
    ),
  propertyNames: ({ propertyNames = true }, value, at) =>
    isMapping(value) ? Object.keys(value).flatMap((key) => departures(propertyNames, key, `${at}/${key}`)) : [],
  additionalProperties: ({ additionalProperties = true, properties = {} }, value, at) => {
    const further = isMapping(value) ? Object.entries(value).filter(([key]) => !Object.hasOwn(properties, key)) : [];
    return further.flatMap(([key, item]) => departures(additionalProperties, item, `${at}/${key}`));
  },
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> => typeOf(value) === 'object';
