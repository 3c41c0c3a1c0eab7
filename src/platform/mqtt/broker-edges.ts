import { BrokerAuthorizer } from './broker-authorizer.js';
import { BrokerLock } from './broker-lock.js';
import { EmbeddedBroker } from './embedded-broker.js';
import { MqttServer } from './mqtt-server.js';

/** What the hardware role runs to hear devices; needs a provider for DeviceAuthenticator beside it. */
export const brokerEdges = [BrokerLock, BrokerAuthorizer, EmbeddedBroker, MqttServer] as const;
