import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { KEY_PURPOSES } from './signing-key.js';
import { SigningKeysRepository } from './signing-keys.repository.js';

/** How long the keys have signed that sign now. Each worker says the same; an edge of that role. */
@Injectable()
export class KeyMetrics {
  constructor(keys: SigningKeysRepository, metrics: Metrics) {
    const measure = () =>
      Promise.all(KEY_PURPOSES.map(async (purpose) => ({ purpose, keys: await keys.ages(purpose) })));
    metrics.measured(measure, [
      {
        name: 'mortise_signing_key_age_seconds',
        help: 'How long the active signing key has been signing, by purpose',
        labelNames: ['purpose'],
        samples: (measured) =>
          measured.flatMap(({ purpose, keys: ages }) =>
            ages.filter(({ state }) => state === 'active').map(({ ageMs }) => [ageMs / 1_000, { purpose }] as const),
          ),
      },
    ]);
  }
}
