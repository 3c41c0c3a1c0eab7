import { BrokerAuthorizer } from './broker-authorizer.js';
import { BrokerLock } from './broker-lock.js';
import { EmbeddedBroker } from './embedded-broker.js';
import { DeviceMessageQueue } from './limits/device-message-queue.js';
import { DeviceOwnerCache } from './limits/device-owner-cache.js';
import { FailedLoginLimiter } from './limits/failed-login-limiter.js';
import { CanaryPublisher } from './line/canary-publisher.js';
import { HearingRegistry } from './line/hearing-registry.js';
import { MqttHealthService } from './line/mqtt-health.service.js';
import { LineLimiter } from './limits/line-limiter.js';
import { MqttServer } from './mqtt-server.js';

/** What the hardware role runs to hear devices; needs a provider for DeviceAuthenticator beside it. */
export const brokerEdges = [
  BrokerLock,
  FailedLoginLimiter,
  BrokerAuthorizer,
  DeviceMessageQueue,
  DeviceOwnerCache,
  LineLimiter,
  EmbeddedBroker,
  HearingRegistry,
  CanaryPublisher,
  MqttServer,
  MqttHealthService,
] as const;
