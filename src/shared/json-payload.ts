/** How many levels of objects and arrays JSON may have, whichever way it comes in. */
export const MAX_JSON_DEPTH = 16;

export type PayloadFault =
  'not_utf8' | 'malformed_json' | 'too_deep' | 'repeated_name' | 'unstorable_text' | 'forbidden_name';

/** A payload that no schema has to look at: it is not even JSON as we take it. */
export class PayloadRefusedError extends Error {
  /** @param pointer JSON Pointer (RFC 6901) to the member at fault; empty for the whole */
  constructor(
    readonly fault: PayloadFault,
    readonly pointer = '',
  ) {
    super(`The payload was refused: ${fault}.`);
    this.name = 'PayloadRefusedError';
  }
}

/** U+0000, and half a surrogate pair: PostgreSQL's jsonb takes neither. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** What bad text and names come in with, escapes above all: most payloads have nothing of it and need no walk. */
const SUSPICIOUS = /\\u|__proto__|constructor/;

/** The escapes of JSON. A group holds what is U+0000 or, as whole pairs come first, half of a surrogate pair. */
const ESCAPES = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u(0000|[dD][89a-fA-F][\da-fA-F]{2})|\\./g;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a payload as JSON (RFC 8259) that PostgreSQL can store: valid UTF-8, no deeper than 16 levels, no U+0000 and
 * no half of a surrogate pair; without names that reach into prototypes, and with every name once in its object, because
 * readers differ in which of two they take (RFC 7493).
 * @param unstorable whether text that PostgreSQL cannot store refuses the payload, or has U+FFFD in its place
 * @throws PayloadRefusedError
 */
export function readPayload(bytes: Uint8Array, unstorable: 'refused' | 'replaced' = 'refused'): unknown {
  const text = unstorable === 'refused' ? decode(bytes) : withStorableText(decode(bytes));
  const written = membersIn(text);
  const value = parse(text);
  // Of members with one name, only the last is in the value.
  if (membersOf(value) !== written) {
    throw new PayloadRefusedError('repeated_name', pointerToRepeated(text));
  }
  const fault = SUSPICIOUS.test(text) ? faultOf(value) : null;
  if (fault) {
    throw new PayloadRefusedError(fault);
  }
  return value;
}

/**
 * Whether a value that was parsed elsewhere is nested deeper than JSON may be. It goes no deeper than that itself, unlike
 * what comes after it.
 */
export function isTooDeep(value: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    return false;
  }
  return levels === 0 || Object.values(value).some((member) => isTooDeep(member, levels - 1));
}

/** The text holds such characters as escapes alone: as they are, they would be no JSON, or no UTF-8. */
function withStorableText(json: string): string {
  return json.replace(ESCAPES, (escape, unstorable?: string) => (unstorable === undefined ? escape : '\\ufffd'));
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new PayloadRefusedError('not_utf8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PayloadRefusedError('malformed_json');
  }
}

/** How many members its objects have. It runs before anything recurses into the text. @throws PayloadRefusedError */
function membersIn(text: string): number {
  let depth = 0;
  let members = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') {
      index = endOfString(text, index);
    } else if (character === ':') {
      members++;
    } else if (character === '{' || character === '[') {
      depth++;
      if (depth > MAX_JSON_DEPTH) {
        throw new PayloadRefusedError('too_deep');
      }
    } else if (character === '}' || character === ']') {
      depth--;
    }
  }
  return members;
}

/** Where the quote is that ends the string which begins at `start`; the end of the text, if there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) {
    end = text.indexOf('"', end + 1);
  }
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') {
    first--;
  }
  return (index - first) % 2 === 1;
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) {
    return 0;
  }
  const members: readonly unknown[] = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) {
    count += membersOf(member);
  }
  return count;
}

/** An object or array that is not closed yet, where the reader is in it, and the names it has seen in an object. */
interface Open {
  readonly names: Set<string>;
  place: string | number;
}

/** The first member whose object has one of its name already. The text is JSON. */
function pointerToRepeated(text: string): string {
  const open: Open[] = [];
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const within = open.at(-1);
    if (token === '{' || token === '[') {
      open.push({ names: new Set(), place: token === '{' ? '' : 0 });
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (within && isRepeated(within, token, last)) {
      break;
    }
    last = token;
  }
  return open.map(({ place }) => `/${String(place).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Moves the place within an object or array. @param last the token before; before a colon, a name */
function isRepeated(within: Open, token: string, last: string): boolean {
  if (token === ',' && typeof within.place === 'number') {
    within.place++;
  }
  if (token !== ':') {
    return false;
  }
  within.place = JSON.parse(last) as string;
  const isKnown = within.names.has(within.place);
  within.names.add(within.place);
  return isKnown;
}

function faultOf(value: unknown): PayloadFault | null {
  if (typeof value === 'string') {
    return UNSTORABLE.test(value) ? 'unstorable_text' : null;
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  for (const [name, member] of Object.entries(value)) {
    const fault = isForbidden(name, member) ? 'forbidden_name' : (faultOf(name) ?? faultOf(member));
    if (fault) {
      return fault;
    }
  }
  return null;
}

/** Copied member by member, these would change what an object inherits. */
function isForbidden(name: string, member: unknown): boolean {
  const isObject = typeof member === 'object' && member !== null;
  return name === '__proto__' || (name === 'constructor' && isObject && Object.hasOwn(member, 'prototype'));
}
