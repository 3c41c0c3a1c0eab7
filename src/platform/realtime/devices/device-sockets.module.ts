import { Global, Module } from '@nestjs/common';
import { DeviceSocketPublisher } from './device-socket-publisher.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';

/** What every role may ask for. The connections are edges of the hardware role: see `deviceSocketEdges`. */
@Global()
@Module({
  providers: [DeviceSocketRegistry, DeviceSocketPublisher],
  exports: [DeviceSocketRegistry, DeviceSocketPublisher],
})
export class DeviceSocketsModule {}
