import type { FastifyRequest } from 'fastify';
import { ipKey } from '../../platform/http/client-address.js';
import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof DEVICES_RATE_LIMITS, true> {}
}

export const DEVICES_RATE_LIMITS = {
  device: { description: 'Operations on devices of a person.', limit: '100/1m+20', keyOf: userKey },
  provisioning: { description: 'Requests of a maker to the inventory.', limit: '60/1m', keyOf: userKey },
  provisioning_mail: {
    description: 'Mails with claim codes that a maker causes, whoever gets them.',
    limit: '1000/1h',
    keyOf: userKey,
  },
  claim: { description: 'Claims of a person, whether the code is right or not.', limit: '20/10m', keyOf: userKey },
  claim_address: { description: 'The same of an address.', limit: '60/10m', keyOf: ipKey },
  activation: {
    description: 'Activations of devices at an address, by codes that are none of the device; or by one of its codes.',
    limit: '60/1m',
    keyOf: (request) => request.provenAs ?? ipKey(request),
    wellFormedOnly: true,
  },
  activation_device: {
    description: 'The same for one device. Of an address, too: strangers elsewhere keep no device out.',
    limit: '10/1m',
    keyOf: (request) => request.provenAs ?? `${ipKey(request)} ${deviceIdOf(request)}`,
    wellFormedOnly: true,
  },
} satisfies RateLimitCategories;

function deviceIdOf({ body }: FastifyRequest): string {
  const { deviceId } = (body ?? {}) as { deviceId?: unknown };
  return typeof deviceId === 'string' ? deviceId.slice(0, 100).toLowerCase() : '';
}
