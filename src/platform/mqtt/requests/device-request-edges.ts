import { DeviceOwnerCache } from '../limits/device-owner-cache.js';
import { FailedLoginLimiter } from '../limits/failed-login-limiter.js';
import { DeviceRequestLimiter } from './device-request-limiter.js';

/** What the API role runs to take requests of devices; needs a provider for DeviceAuthenticator beside it. */
export const deviceRequestEdges = [FailedLoginLimiter, DeviceOwnerCache, DeviceRequestLimiter] as const;
