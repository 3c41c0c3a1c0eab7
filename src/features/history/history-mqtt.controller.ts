import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { DeviceEventsDto } from './device-events.dto.js';
import { HistoryService } from './history.service.js';

/** What devices report. */
@Controller()
export class HistoryMqttController {
  constructor(private readonly history: HistoryService) {}

  @OnDeviceMessage('events')
  ingest(@DeviceId() deviceId: string, @Payload() { events }: DeviceEventsDto): Promise<void> {
    return this.history.ingest(deviceId, events);
  }
}
