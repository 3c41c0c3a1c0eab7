import { newContext, type RequestContext } from '../context/request-context.js';
import type { ClientAddressReader } from '../http/client-address.js';
import type { DashboardSocket } from './sockets.js';

/** A message of a socket has no request: who sent it, in which session, and from where. */
export function contextOf(
  { data, handshake, request }: DashboardSocket,
  addressOf: ClientAddressReader,
): RequestContext {
  const { principal } = data;
  const userAgent = handshake.headers['user-agent'];
  return {
    ...newContext('websocket', principal ? `user:${principal.userId}` : 'anonymous', {
      address: addressOf(request),
      ...(userAgent === undefined ? {} : { userAgent }),
    }),
    ...(principal && { sessionId: principal.sessionId }),
  };
}
