import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';

/** Tokens of devices that were revoked long ago. */
export const CREDENTIALS_PURGE = purgeRule({
  name: 'purge_device_credentials',
  tables: ['device_credentials'],
  keptFor: 'credentialsMs',
  from: [DeviceTokensRepository],
  purge: ({ limit, keptMs }, tokens) => tokens.purge(limit, keptMs),
});
