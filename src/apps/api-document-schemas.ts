import type { OpenAPIObject } from '@nestjs/swagger';
import { joined } from './joined-lines.js';

type Operation = OpenAPIObject['paths'][string]['get'] & object;

interface Property {
  type?: string;
  format?: string;
  example?: unknown;
  description?: string;
  nullable?: boolean;
  enum?: unknown[];
  allOf?: Property[];
  anyOf?: Property[];
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Members that hold ids of any kind: of a signing key, an address, or most often a UUID. */
const OF_ANY_KIND = new Set(['entityId']);

/** Says of members what their examples show: that they are instants (RFC 3339) or ids. */
export function completeSchemas(document: OpenAPIObject): void {
  for (const schema of Object.values(document.components?.schemas ?? {})) {
    const { properties = {}, ...whole } = schema as Property & { properties?: Record<string, Property> };
    for (const [name, property] of Object.entries(properties)) {
      complete(property, OF_ANY_KIND.has(name));
    }
    if (whole.description) {
      Object.assign(schema, { description: joined(whole.description) });
    }
  }
}

/** In OpenAPI 3.0 a reference that may be null is one of two: `nullable` beside `allOf` takes nothing back. */
function allowNull(property: Property): void {
  if (property.nullable && property.allOf) {
    property.anyOf = [...property.allOf, { type: 'object', nullable: true, enum: [null] }];
    delete property.allOf;
    delete property.nullable;
    delete property.type;
  }
}

function complete(property: Property, isOfAnyKind: boolean): void {
  allowNull(property);
  if (property.description) {
    property.description = joined(property.description);
  }
  if (property.type === 'string' && typeof property.example === 'string') {
    if (INSTANT.test(property.example)) {
      property.format ??= 'date-time';
    } else if (UUID.test(property.example) && !isOfAnyKind) {
      property.format ??= 'uuid';
    }
  }
}

/**
 * Moves the examples of headers and queries into their descriptions: Swagger UI fills in what stands as an example, so that
 * the first request that is tried out would be filtered by it, and the second one would repeat the first.
 */
export function describeExamples(operation: Operation): void {
  for (const parameter of operation.parameters ?? []) {
    if (!('schema' in parameter) || parameter.in === 'path') {
      continue;
    }
    const { schema } = parameter as { schema: { example?: unknown } };
    const example: unknown = parameter.example ?? schema.example;
    delete parameter.example;
    delete schema.example;
    if (example !== undefined) {
      const text = Array.isArray(example) ? example.join(',') : JSON.stringify(example).replace(/^"|"$/g, '');
      parameter.description = `${joined(parameter.description)} For example \`${text}\`.`.trim();
    } else if (parameter.description) {
      parameter.description = joined(parameter.description);
    }
  }
}
