import { CSP_DIRECTIVES } from '../../config/content-security-policy.js';

/** What a page tried that the policy forbids. */
export interface CspViolation {
  /** The directive that forbids it; `other` for a name that no policy has. */
  readonly directive: string;
  /** What was blocked: an origin, or a word such as `inline`. */
  readonly blocked: string;
  /** The page. */
  readonly page: string;
}

/** Of one request; a browser sends a few at a time. */
const MAX_REPORTS = 20;

type Members = Readonly<Record<string, unknown>>;

/** The violations in a body of the Reporting API, or of CSP Level 2. What is neither is none. */
export function violationsIn(body: unknown): CspViolation[] {
  const reports = Array.isArray(body) ? body.slice(0, MAX_REPORTS) : [body];
  return reports.filter(isObject).flatMap((report) => {
    const old = report['csp-report'];
    if (isObject(old)) {
      return [
        violation(old['effective-directive'] ?? old['violated-directive'], old['blocked-uri'], old['document-uri']),
      ];
    }
    return report.type === 'csp-violation' && isObject(report.body)
      ? [violation(report.body.effectiveDirective, report.body.blockedURL, report.body.documentURL)]
      : [];
  });
}

function violation(directive: unknown, blocked: unknown, page: unknown): CspViolation {
  const [name = ''] = typeof directive === 'string' ? directive.split(' ', 1) : [];
  return {
    directive: CSP_DIRECTIVES.has(name) ? name : 'other',
    blocked: originOf(blocked),
    page: pathOf(page),
  };
}

/** No path, and no query: they may hold what is private. */
function originOf(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return URL.canParse(text) ? new URL(text).origin : text;
}

function pathOf(value: unknown): string {
  return typeof value === 'string' && URL.canParse(value) ? new URL(value).pathname : '';
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
