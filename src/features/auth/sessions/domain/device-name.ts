const UNKNOWN = 'Unknown device';

/** In this order: many browsers also claim to be those below them. */
const CLIENTS = [
  [/\bMortise(?:App)?\//i, 'Mortise app'],
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
] as const;

const SYSTEMS = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/i, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
] as const;

const PRODUCT = /^[A-Za-z][\w.-]{0,31}(?=\/|$)/;

/** What a person calls the device behind a user agent: enough to tell their own from a stranger's. */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null) {
    return UNKNOWN;
  }
  const client = nameIn(CLIENTS, userAgent);
  const system = nameIn(SYSTEMS, userAgent);
  if (client && system) {
    return `${client} on ${system}`;
  }
  return client ?? system ?? PRODUCT.exec(userAgent)?.[0] ?? UNKNOWN;
}

function nameIn(known: readonly (readonly [RegExp, string])[], userAgent: string): string | undefined {
  return known.find(([pattern]) => pattern.test(userAgent))?.[1];
}
