import { BrokerAuthorizer } from './broker-authorizer.js';
import { BrokerLock } from './broker-lock.js';
import { EmbeddedBroker } from './embedded-broker.js';
import { FailedLoginLimiter } from './limits/failed-login-limiter.js';
import { MqttServer } from './mqtt-server.js';

/** What the hardware role runs to hear devices; needs a provider for DeviceAuthenticator beside it. */
export const brokerEdges = [BrokerLock, FailedLoginLimiter, BrokerAuthorizer, EmbeddedBroker, MqttServer] as const;
