import { Global, Module } from '@nestjs/common';
import { BrokerAccess } from './broker-access.js';
import { DevicePublisher } from './device-publisher.js';
import { Refusals } from './rejected-messages.js';

/** What every role may ask for. The broker and the server are edges of the hardware role: see `brokerEdges`. */
@Global()
@Module({ providers: [BrokerAccess, DevicePublisher, Refusals], exports: [BrokerAccess, DevicePublisher, Refusals] })
export class MqttModule {}
