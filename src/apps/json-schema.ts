/** A schema of JSON Schema, draft 7, which AsyncAPI takes as it is. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema of OpenAPI 3.0 in the words of JSON Schema: `nullable` and `example` are words of OpenAPI alone. */
export function jsonSchemaOf(schema: object): JsonSchema {
  const { nullable, example, ...rest } = schema as JsonSchema;
  const translated: JsonSchema = {
    ...Object.fromEntries(Object.entries(rest).map(([keyword, value]) => [keyword, translatedValue(keyword, value)])),
    ...(example === undefined ? {} : { examples: [example] }),
  };
  return nullable === true ? orNull(translated) : translated;
}

function translatedValue(keyword: string, value: unknown): unknown {
  if (keyword === 'properties') {
    const members = Object.entries(value as Record<string, object>);
    return Object.fromEntries(members.map(([name, member]) => [name, jsonSchemaOf(member)]));
  }
  if (Array.isArray(value)) {
    return value.map((each: unknown) => (isSchema(each) ? jsonSchemaOf(each) : each));
  }
  return isSchema(value) ? jsonSchemaOf(value) : value;
}

function isSchema(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values, ...rest } = schema;
  if (typeof type !== 'string') {
    return { anyOf: [{ ...rest }, { type: 'null' }] };
  }
  if ('allOf' in rest) {
    // What a class documents is an object, and null is none.
    const { examples, ...named } = schema;
    return { anyOf: [named, { type: 'null' }], ...(examples === undefined ? {} : { examples }) };
  }
  return {
    ...rest,
    type: [type, 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}
