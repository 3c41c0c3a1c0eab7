import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DeviceSettingsController } from './device-settings.controller.js';
import { MqttSettingsPublisher } from './mqtt-settings-publisher.js';
import { SocketSettingsPublisher } from './socket-settings-publisher.js';

/** What meets the outside in each role. */
export const deviceSettingsEdges = {
  api: [DeviceSettingsController],
  hardware: [MqttSettingsPublisher, SocketSettingsPublisher],
} satisfies FeatureEdges;
