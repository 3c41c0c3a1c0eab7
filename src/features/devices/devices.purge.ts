import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { ActivationsRepository } from './credentials/activations.repository.js';
import { DeviceTokensRepository } from './credentials/device-tokens.repository.js';
import { TransfersRepository } from './transfers/transfers.repository.js';

/** Tokens of devices that ended long ago. */
export const CREDENTIALS_PURGE = purgeRule({
  name: 'purge_device_credentials',
  tables: ['device_credentials'],
  keptFor: 'credentialsMs',
  from: [DeviceTokensRepository],
  purge: ({ limit, keptMs }, tokens) => tokens.purge(limit, keptMs),
});

/** Codes that have expired. */
export const ACTIVATIONS_PURGE = purgeRule({
  name: 'purge_device_activations',
  tables: ['device_activations'],
  keptFor: 0,
  from: [ActivationsRepository],
  purge: ({ limit, keptMs }, activations) => activations.purge(limit, keptMs),
});

/** Offers that have expired. */
export const TRANSFERS_PURGE = purgeRule({
  name: 'purge_device_transfers',
  tables: ['device_transfers'],
  keptFor: 0,
  from: [TransfersRepository],
  purge: ({ limit, keptMs }, transfers) => transfers.purge(limit, keptMs),
});
