import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { HistoryHttpController } from './history-http.controller.js';
import { HistoryMqttController } from './history-mqtt.controller.js';
import { HistorySocketGateway } from './history-socket.gateway.js';
import { EventsController } from './polling/events.controller.js';
import { HistoryController } from './history.controller.js';

/** What meets the outside in each role. */
export const historyEdges = {
  api: [EventsController, HistoryController, HistoryHttpController],
  hardware: [HistoryMqttController, HistorySocketGateway],
} satisfies FeatureEdges;
