import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DiagnosticsController } from './diagnostics/diagnostics.controller.js';
import { PresenceHttpController } from './http/presence-http.controller.js';
import { InactiveDevicesJob } from './inactivity/inactive-devices-job.js';
import { PresenceMetrics } from './presence-metrics.js';
import { PresenceMqttController } from './presence-mqtt.controller.js';
import { PresenceSocketGateway } from './presence-socket.gateway.js';
import { PresenceSweeper } from './presence-sweeper.js';
import { StatusQueue } from './status-queue.js';

/** What meets the outside in each role. */
export const presenceEdges = {
  api: [DiagnosticsController, PresenceHttpController],
  hardware: [PresenceMqttController, PresenceSocketGateway, StatusQueue, PresenceSweeper],
  worker: [PresenceMetrics, InactiveDevicesJob],
} satisfies FeatureEdges;
