import { type INestApplication, Module } from '@nestjs/common';
import { DispatchScheduler } from '../features/commands/dispatch/dispatch-scheduler.js';
import { CommandSweeper } from '../features/commands/dispatch/command-sweeper.js';
import { CommandsMqttController } from '../features/commands/commands-mqtt.controller.js';
import { PresenceMqttController } from '../features/presence/presence-mqtt.controller.js';
import { PresenceSweeper } from '../features/presence/presence-sweeper.js';
import { HistoryMqttController } from '../features/history/history-mqtt.controller.js';
import { brokerEdges } from '../platform/mqtt/broker-edges.js';
import { MqttServer } from '../platform/mqtt/mqtt-server.js';
import { CoreModule } from './core.module.js';

/** Edges for devices: the broker or its client, the handlers of each channel, dispatch, and the sweepers. */
@Module({
  imports: [CoreModule],
  controllers: [PresenceMqttController, HistoryMqttController, CommandsMqttController],
  providers: [...brokerEdges, DispatchScheduler, CommandSweeper, PresenceSweeper],
})
export class HardwareModule {}

/**
 * Joins the handlers to the device line. They inherit the global pipe and filter: without it, a hybrid application
 * would hand them whatever a device sent.
 */
export function connectDeviceLine(app: INestApplication): void {
  app.connectMicroservice({ strategy: app.get(MqttServer, { strict: false }) }, { inheritAppConfig: true });
}
