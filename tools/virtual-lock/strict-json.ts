/** What was read, or the fact that nothing could be. */
export type Parsed = { ok: true; value: unknown } | { ok: false };

/** Decides about the value of one member. */
export type MemberCheck = (value: unknown) => boolean;

const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of bytes that are UTF-8 throughout. A lenient decoder would map different bytes to one text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A lone surrogate has no UTF-8 bytes of its own: it would be signed as U+FFFD, and two texts would share a signature. */
export function isWellFormed(text: string): boolean {
  return Buffer.from(text, 'utf8').toString('utf8') === text;
}

/** JSON in which no object names a member twice: of two equal names, parsers disagree which one counts. */
export function parseStrictJson(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return repeatsAName(text) ? { ok: false } : { ok: true, value };
  } catch {
    return { ok: false };
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the object has all of the required members, perhaps the optional ones, and nothing else. */
export function hasOnly(
  value: Record<string, unknown>,
  required: Readonly<Record<string, MemberCheck>>,
  optional: Readonly<Record<string, MemberCheck>> = {},
): boolean {
  const checks = new Map([...Object.entries(required), ...Object.entries(optional)]);
  return (
    Object.keys(required).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, member]) => checks.get(name)?.(member) === true)
  );
}

/** Expects valid JSON. */
function repeatsAName(json: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(STRING_OR_BRACKET)) {
    if (token === '{' || token === '[') {
      open.push(new Set());
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      const name = String(JSON.parse(token.slice(0, -colon.length)));
      const names = open.at(-1);
      if (names?.has(name)) {
        return true;
      }
      names?.add(name);
    }
  }
  return false;
}
