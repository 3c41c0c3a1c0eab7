import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { RealtimeGateway } from './sockets/realtime.gateway.js';
import { EventStreamController } from './streams/event-stream.controller.js';
import { EventsController } from './streams/events.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const realtimeEdges = {
  api: [RealtimeGateway, EventStreamController, EventsController],
} satisfies FeatureEdges;
