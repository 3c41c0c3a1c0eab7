import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsObject } from 'class-validator';
import type { FieldError } from '../../../shared/domain-error.js';
import { hasInexactNumber } from '../../../shared/exact-numbers.js';
import { pointerTo, shownName } from '../validation/field-faults.js';
import { InvalidRequestError } from '../validation/validation.js';

/** What a member of a flat object may be. */
export type FlatValue = string | number | boolean;
export type FlatObject = Readonly<Record<string, FlatValue>>;

const MAX_MEMBERS = 20;
const MAX_TEXT = 256;
const MAX_BYTES = 4_096;
const NAME = /^[\w.-]{1,64}$/;

/**
 * An object of a client's own: at most 20 members, named by letters, digits and `_ . -`, each text (256 characters at most), a
 * number, or true or false; 4 KiB of JSON in all. Each fault has its pointer. It has no prototype, so that the pipe refuses
 * names which objects inherit, such as `constructor`.
 */
export function IsFlatObject(): PropertyDecorator {
  return applyDecorators(
    Transform(({ obj, key }: { obj: Readonly<Record<string, unknown>>; key: string }) => readFlat(obj[key], key)),
    IsObject(),
    ApiProperty({
      type: 'object',
      maxProperties: MAX_MEMBERS,
      additionalProperties: {
        oneOf: [{ type: 'string', maxLength: MAX_TEXT }, { type: 'number' }, { type: 'boolean' }],
      },
    }),
  );
}

/** @throws InvalidRequestError with all that is wrong with its members */
function readFlat(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const faults = [...sizeFaults(value, path), ...memberFaults(value, path)];
  if (faults.length > 0) {
    throw new InvalidRequestError(faults);
  }
  return Object.assign(Object.create(null) as object, value);
}

function sizeFaults(value: object, path: string): FieldError[] {
  const pointer = pointerTo('', path);
  const count = Object.keys(value).length;
  if (count > MAX_MEMBERS) {
    return [{ detail: `${shownName(path)} must have at most ${String(MAX_MEMBERS)} members`, pointer }];
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > MAX_BYTES
    ? [{ detail: `${shownName(path)} must have at most ${String(MAX_BYTES)} bytes as JSON`, pointer }]
    : [];
}

function memberFaults(value: object, path: string): FieldError[] {
  return Object.entries(value)
    .slice(0, MAX_MEMBERS)
    .flatMap(([name, member]) => {
      const detail = faultOf(name, member);
      return detail === null
        ? []
        : [{ detail: `${shownName(`${path}.${name}`)} ${detail}`, pointer: pointerTo(pointerTo('', path), name) }];
    });
}

function faultOf(name: string, value: unknown): string | null {
  if (!NAME.test(name)) {
    return 'must have a name of 1 to 64 letters, digits and . _ -';
  }
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `must have at most ${String(MAX_TEXT)} characters` : null;
    case 'number':
      return hasInexactNumber(value) ? 'must not be beyond 2^53 - 1, where numbers are rounded: send it as text' : null;
    case 'boolean':
      return null;
    default:
      return 'must be text, a number, or true or false';
  }
}
