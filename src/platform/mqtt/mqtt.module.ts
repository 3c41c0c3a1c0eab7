import { Global, Module } from '@nestjs/common';
import { BrokerClientFactory } from './broker-client-factory.js';
import { DevicePublisher } from './device-publisher.js';
import { EvictionRegistry } from './line/eviction-registry.js';
import { CutoffRegistry } from './limits/cutoff-registry.js';
import { DeviceLimiter } from './limits/device-limiter.js';
import { RejectedMessages } from './rejected-messages.js';

/** What every role may ask for. The broker and the server are edges of the hardware role: see `brokerEdges`. */
@Global()
@Module({
  providers: [BrokerClientFactory, EvictionRegistry, DevicePublisher, RejectedMessages, DeviceLimiter, CutoffRegistry],
  exports: [BrokerClientFactory, EvictionRegistry, DevicePublisher, RejectedMessages, DeviceLimiter, CutoffRegistry],
})
export class MqttModule {}
