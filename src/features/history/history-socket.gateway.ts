import { UseInterceptors } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ReceiptMessage } from '../../contracts/mqtt.js';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { DeviceSocketInterceptor } from '../../platform/realtime/devices/device-socket.interceptor.js';
import { DEVICE_GATEWAY } from '../../platform/realtime/devices/device-sockets.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { DeviceEventsDto } from './device-events.dto.js';
import { EventIngestService } from './event-ingest.service.js';
import { EventNotStoredError } from './history.errors.js';

/** Events of devices on sockets, one with each message. The answer has its receipt. */
@WebSocketGateway(DEVICE_GATEWAY)
@UseInterceptors(DeviceSocketInterceptor)
export class HistorySocketGateway {
  constructor(private readonly ingestion: EventIngestService) {}

  @SubscribeMessage('door_status_changed')
  doorStatusChanged(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('motion_detected')
  motionDetected(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('snapshot_ready')
  snapshotReady(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('low_battery')
  lowBattery(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('error_occurred')
  errorOccurred(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('settings_updated')
  settingsUpdated(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  @SubscribeMessage('custom')
  custom(@DeviceId() deviceId: string, @Uplink() events: DeviceEventsDto): Promise<ReceiptMessage> {
    return this.ingest(deviceId, events);
  }

  /** @throws EventNotStoredError */
  private async ingest(deviceId: string, { events }: DeviceEventsDto): Promise<ReceiptMessage> {
    const receipt = await this.ingestion.ingest(deviceId, events, 'websocket');
    if (!receipt) {
      throw new EventNotStoredError();
    }
    return { boot: receipt.boot, seq: receipt.seq };
  }
}
