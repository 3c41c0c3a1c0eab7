import { Controller } from '@nestjs/common';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { DeviceEventsDto } from './device-events.dto.js';
import { EventIngestService } from './event-ingest.service.js';

/** Events of devices. */
@Controller()
export class HistoryMqttController {
  constructor(private readonly ingestion: EventIngestService) {}

  @OnDeviceMessage('events')
  async ingest(@DeviceId() deviceId: string, @Uplink() { events }: DeviceEventsDto): Promise<void> {
    await this.ingestion.ingest(deviceId, events);
  }
}
