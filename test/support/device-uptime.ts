const BEGAN_AT = performance.now();

/**
 * The uptime of a device, in milliseconds: it grows with the test file, from above that of any birth that tests write themselves.
 * Not with the process, which may have run other files for long: after a heartbeat such a birth would show that the uptime fell,
 * and no unlock is sent to a device whose uptime fell.
 */
export function uptimeMs(): number {
  return 60_000 + Math.round(performance.now() - BEGAN_AT);
}
