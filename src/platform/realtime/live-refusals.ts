import type { Metrics } from '../metrics/metrics.js';

/** What a client of the live feed may be refused because there is too much of it already. */
export type RefusedOf = 'messages' | 'handshakes' | 'connections' | 'streams' | 'waiting' | 'watchers';

/** Counts refusals that neither a rate limit nor admission counts. */
export function liveRefusals(metrics: Metrics): (of: RefusedOf) => void {
  const counter = metrics.counter(
    'mortise_live_refusals_total',
    'Refusals to clients of the live feed, by what there was too much of',
    ['of'],
  );
  return (of) => {
    counter.inc({ of });
  };
}
