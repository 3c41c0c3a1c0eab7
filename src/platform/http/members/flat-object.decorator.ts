import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsObject } from 'class-validator';
import { FLAT_LIMITS, flatFaults } from '../../../contracts/flat-object.js';
import { pointerTo, shownName } from '../validation/field-faults.js';
import { InvalidRequestError } from '../validation/validation.js';

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
      maxProperties: FLAT_LIMITS.members,
      additionalProperties: {
        oneOf: [{ type: 'string', maxLength: FLAT_LIMITS.textLength }, { type: 'number' }, { type: 'boolean' }],
      },
    }),
  );
}

/** @throws InvalidRequestError with all that is wrong with its members */
function readFlat(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const faults = flatFaults(value);
  if (faults.length > 0) {
    const pointer = pointerTo('', path);
    throw new InvalidRequestError(
      faults.map(({ member, detail }) => ({
        detail: `${shownName(member === undefined ? path : `${path}.${member}`)} ${detail}`,
        pointer: member === undefined ? pointer : pointerTo(pointer, member),
      })),
    );
  }
  return Object.assign(Object.create(null) as object, value);
}
