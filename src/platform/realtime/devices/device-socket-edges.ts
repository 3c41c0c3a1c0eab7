import { DeviceSocketAuthenticator } from './device-socket-authenticator.js';
import { DeviceSocketSweeper } from './device-socket-sweeper.js';
import { DeviceSocketGateway } from './device-socket.gateway.js';
import { DeviceSocketInterceptor } from './device-socket.interceptor.js';

/** What the hardware role runs to hear devices on sockets, beside the gateways of the features. */
export const deviceSocketEdges = [
  DeviceSocketInterceptor,
  DeviceSocketAuthenticator,
  DeviceSocketSweeper,
  DeviceSocketGateway,
] as const;
