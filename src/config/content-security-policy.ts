/** The directives of CSP Level 3 that a policy for our pages may have. */
export const CSP_DIRECTIVES: ReadonlySet<string> = new Set(
  (
    'base-uri child-src connect-src default-src font-src form-action frame-ancestors frame-src img-src manifest-src media-src ' +
    'object-src sandbox script-src script-src-attr script-src-elem style-src style-src-attr style-src-elem ' +
    'trusted-types require-trusted-types-for upgrade-insecure-requests worker-src'
  ).split(' '),
);

/** Swagger UI sets styles inline; everything else comes from this origin alone. */
export const DEFAULT_CSP =
  "default-src 'self'; base-uri 'self'; font-src 'self' data:; form-action 'self'; frame-ancestors 'none'; " +
  "img-src 'self' data:; object-src 'none'; script-src 'self'; script-src-attr 'none'; style-src 'self' 'unsafe-inline'";

/** What is wrong with a policy; null where nothing is. Only names are checked: a browser ignores what it does not know. */
export function cspFault(policy: string): string | null {
  if (!/^[\x20-\x7e]*$/.test(policy)) {
    return 'must be of visible ASCII characters';
  }
  const directives = policy.split(';').map((directive) => directive.trim().split(/\s+/, 1)[0]?.toLowerCase() ?? '');
  const unknown = directives.filter((name) => name !== '' && !CSP_DIRECTIVES.has(name));
  if (unknown.length > 0) {
    return `has no directive ${unknown.join(', ')} (where to report is added by itself)`;
  }
  return directives.every((name) => name === '') ? 'must have a directive' : null;
}
