const MAX_DEPTH = 16;

export type PayloadFault = 'not_utf8' | 'malformed_json' | 'too_deep' | 'unstorable_text' | 'forbidden_name';

/** A payload that no schema has to look at: it is not even JSON as we take it. */
export class PayloadRefusedError extends Error {
  constructor(readonly fault: PayloadFault) {
    super(`The payload was refused: ${fault}.`);
    this.name = 'PayloadRefusedError';
  }
}

/** U+0000, and half a surrogate pair: PostgreSQL's jsonb takes neither. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** What bad text and names come in with, escapes above all: most payloads have nothing of it and need no walk. */
const SUSPICIOUS = /\\u|__proto__|constructor/;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a payload as JSON (RFC 8259) that PostgreSQL can store: valid UTF-8, no deeper than 16 levels, no U+0000 and
 * no half of a surrogate pair; and without names that reach into prototypes. @throws PayloadRefusedError
 */
export function readPayload(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (isTooDeep(text)) {
    throw new PayloadRefusedError('too_deep');
  }
  const value = parse(text);
  const fault = SUSPICIOUS.test(text) ? faultOf(value) : null;
  if (fault) {
    throw new PayloadRefusedError(fault);
  }
  return value;
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

/** Before anything recurses into it. Brackets inside of strings do not count. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (quoted) {
      index += character === '\\' ? 1 : 0;
      quoted = character !== '"';
    } else if (character === '"') {
      quoted = true;
    } else if (character === '{' || character === '[') {
      depth++;
    } else if (character === '}' || character === ']') {
      depth--;
    }
    if (depth > MAX_DEPTH) {
      return true;
    }
  }
  return false;
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
