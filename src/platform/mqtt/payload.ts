const MAX_DEPTH = 16;

export type PayloadFault = 'not_utf8' | 'malformed_json' | 'too_deep' | 'unstorable_text';

/** A payload that no schema has to look at: it is not even JSON as we take it. */
export class PayloadRefusedError extends Error {
  constructor(readonly fault: PayloadFault) {
    super(`The payload was refused: ${fault}.`);
    this.name = 'PayloadRefusedError';
  }
}

/** U+0000, and half a surrogate pair: PostgreSQL's jsonb takes neither. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a payload as JSON (RFC 8259) that PostgreSQL can store: valid UTF-8, no deeper than 16 levels, no U+0000 and
 * no half of a surrogate pair. @throws PayloadRefusedError
 */
export function readPayload(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (isTooDeep(text)) {
    throw new PayloadRefusedError('too_deep');
  }
  const value = parse(text);
  // Both come in as escapes only: most payloads have none and need no walk.
  if (text.includes('\\u') && !isStorable(value)) {
    throw new PayloadRefusedError('unstorable_text');
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

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') {
    return !UNSTORABLE.test(value);
  }
  if (typeof value !== 'object' || value === null) {
    return true;
  }
  return Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member));
}
