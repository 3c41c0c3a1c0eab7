/** The uptime of a device, in milliseconds: it grows, from above that of any birth that tests write themselves. */
export function uptimeMs(): number {
  return 60_000 + Math.round(performance.now());
}
