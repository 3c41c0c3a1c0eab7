import { hasInexactNumber } from '../shared/exact-numbers.js';

/** What a member of a flat object may be. */
export type FlatValue = string | number | boolean;
/** An object of a client's own, without objects inside. */
export type FlatObject = Readonly<Record<string, FlatValue>>;

export const FLAT_LIMITS = { members: 20, textLength: 256, bytes: 4_096 } as const;
const NAME = /^[\w.-]{1,64}$/;

/** One fault of a flat object. `member` is left out when it is that of the whole. */
export interface FlatFault {
  readonly member?: string;
  readonly detail: string;
}

/** What is wrong with an object: too many members or bytes, names, values; nothing when it is good. */
export function flatFaults(object: object): FlatFault[] {
  return [...sizeFaults(object), ...memberFaults(object)];
}

function sizeFaults(object: object): FlatFault[] {
  if (Object.keys(object).length > FLAT_LIMITS.members) {
    return [{ detail: `must have at most ${String(FLAT_LIMITS.members)} members` }];
  }
  const bytes = Buffer.byteLength(JSON.stringify(object));
  return bytes > FLAT_LIMITS.bytes ? [{ detail: `must have at most ${String(FLAT_LIMITS.bytes)} bytes as JSON` }] : [];
}

function memberFaults(object: object): FlatFault[] {
  return Object.entries(object)
    .slice(0, FLAT_LIMITS.members)
    .flatMap(([member, value]) => {
      const detail = faultOf(member, value);
      return detail === null ? [] : [{ member, detail }];
    });
}

function faultOf(name: string, value: unknown): string | null {
  if (!NAME.test(name) || name in Object.prototype || name === 'prototype') {
    return 'must have a name of 1 to 64 letters, digits and . _ -, and none that every object has';
  }
  switch (typeof value) {
    case 'string':
      return value.length > FLAT_LIMITS.textLength
        ? `must have at most ${String(FLAT_LIMITS.textLength)} characters`
        : null;
    case 'number':
      return hasInexactNumber(value) ? 'must not be beyond 2^53 - 1, where numbers are rounded: send it as text' : null;
    case 'boolean':
      return null;
    default:
      return 'must be text, a number, or true or false';
  }
}
