import { Injectable } from '@nestjs/common';
import { Metrics } from '../../platform/metrics/metrics.js';
import { PresenceRepository } from './presence.repository.js';

/** How many devices there are, and over what they are connected. Each worker says the same; an edge of that role. */
@Injectable()
export class PresenceMetrics {
  constructor(presence: PresenceRepository, metrics: Metrics) {
    metrics.measured(
      () => presence.countDevices(),
      [
        {
          name: 'mortise_devices',
          help: 'Devices, by status',
          labelNames: ['status'],
          samples: ({ byStatus }) => byStatus.map(({ status, count }) => [count, { status }] as const),
        },
        {
          name: 'mortise_device_links',
          help: 'Connections of devices, by kind',
          labelNames: ['kind'],
          samples: ({ byKind }) => byKind.map(({ kind, count }) => [count, { kind }] as const),
        },
      ],
    );
  }
}
