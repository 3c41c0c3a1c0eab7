import type { Demand } from '../../../contracts/resources.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import type { DashboardSocket } from '../../../platform/realtime/sockets.js';

/** The user of a socket. @throws ForbiddenError for a socket whose handshake did not succeed */
export function principalOf(socket: DashboardSocket): Principal {
  if (!socket.data.principal) {
    throw new ForbiddenError('device:view' satisfies Demand);
  }
  return socket.data.principal;
}
