import { describe, expect, it } from '@jest/globals';
import { jsonSchemaOf } from './json-schema.js';

describe('jsonSchemaOf', () => {
  it('says nullable and example in the words of JSON Schema, at every depth', () => {
    const schema = {
      type: 'object',
      required: ['name'],
      properties: {
        // Members may have the names of keywords.
        example: { type: 'string', nullable: true, example: 'ada' },
        nullable: { type: 'boolean' },
        kind: { type: 'string', nullable: true, enum: ['a', 'b'] },
        list: { type: 'array', items: { type: 'number', nullable: true, example: 1 } },
        other: { nullable: true, allOf: [{ $ref: '#/components/schemas/Other' }] },
      },
      oneOf: [{ type: 'string', nullable: false }],
    };
    expect(jsonSchemaOf(schema)).toEqual({
      type: 'object',
      required: ['name'],
      properties: {
        example: { type: ['string', 'null'], examples: ['ada'] },
        nullable: { type: 'boolean' },
        kind: { type: ['string', 'null'], enum: ['a', 'b', null] },
        list: { type: 'array', items: { type: ['number', 'null'], examples: [1] } },
        other: { anyOf: [{ allOf: [{ $ref: '#/components/schemas/Other' }] }, { type: 'null' }] },
      },
      oneOf: [{ type: 'string' }],
    });
  });
});
