import { Global, Module } from '@nestjs/common';
import { BrokerAccess } from './broker-access.js';
import { DevicePublisher } from './device-publisher.js';
import { RejectedMessages } from './rejected-messages.js';

/** What every role may ask for. The broker and the server are edges of the hardware role: see `brokerEdges`. */
@Global()
@Module({
  providers: [BrokerAccess, DevicePublisher, RejectedMessages],
  exports: [BrokerAccess, DevicePublisher, RejectedMessages],
})
export class MqttModule {}
