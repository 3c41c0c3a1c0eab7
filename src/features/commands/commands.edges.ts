import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { CommandsMqttController } from './commands-mqtt.controller.js';
import { CommandsSocketGateway } from './commands-socket.gateway.js';
import { CommandsController } from './commands.controller.js';
import { CommandSweeper } from './dispatch/command-sweeper.js';
import { DispatchScheduler } from './dispatch/dispatch-scheduler.js';
import { SocketOrderSweeper } from './dispatch/socket-order-sweeper.js';

/** What meets the outside in each role. */
export const commandsEdges = {
  api: [CommandsController],
  hardware: [CommandsMqttController, CommandsSocketGateway, DispatchScheduler, CommandSweeper, SocketOrderSweeper],
} satisfies FeatureEdges;
