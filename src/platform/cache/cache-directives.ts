/** What a client asks of caches: `Cache-Control` of a request (RFC 9111, section 5.2.1). */
export interface CacheDirectives {
  /** Read it from the database. */
  readonly isBypassed: boolean;
  /** The oldest that will do. */
  readonly maxAgeMs?: number;
  /** Keep nothing. */
  readonly isNotStored: boolean;
}

const NONE: CacheDirectives = { isBypassed: false, isNotStored: false };
const MAX_AGE = /^max-age\s*=\s*"?(\d{1,9})"?$/;

/**
 * Directives that we do not know change nothing, and neither does `no-cache`, which scripts in browsers send with every
 * `If-None-Match` of their own: it asks that an answer be validated, which each of ours is.
 */
export function directivesOf(header: string | undefined): CacheDirectives {
  if (header === undefined) {
    return NONE;
  }
  const directives = header
    .toLowerCase()
    .split(',', 16)
    .map((directive) => directive.trim());
  const [maxAge] = directives.flatMap((directive) => MAX_AGE.exec(directive)?.[1] ?? []);
  const isNotStored = directives.includes('no-store');
  return {
    isNotStored,
    isBypassed: isNotStored || maxAge === '0',
    ...(maxAge !== undefined && { maxAgeMs: Number(maxAge) * 1_000 }),
  };
}
