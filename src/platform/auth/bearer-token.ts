/** The scheme in any case, and one or more spaces before the token (RFC 9110, section 11.4). */
const BEARER = /^bearer +(.+)$/i;

/** The token of an `Authorization` header; null when it holds none, or credentials of another scheme. */
export function bearerTokenOf(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? '')?.[1] ?? null;
}
