import { applyDecorators } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { addRouteConfig } from '../../http/route-config.js';
import { Refuses } from '../../http/problems/refuses.decorator.js';
import { ProvenBy } from '../../rate-limit/rate-limit.decorator.js';
import type { TicketHolder } from './ticket-holder.js';
import { TicketInvalidError } from './ticket.errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    takesTicket?: boolean;
  }
  interface FastifyRequest {
    /** Who it comes from, where it brought a ticket. */
    ticketHolder?: TicketHolder;
  }
}

/** Names the reader for `@ProvenBy`. */
export const TICKET_PROOF = 'ticket';

/** A GET of this route may bring `?ticket=` in place of an access token: browsers open event streams without headers. */
export const TakesTicket = (): MethodDecorator =>
  applyDecorators(
    addRouteConfig({ takesTicket: true }),
    ProvenBy(TICKET_PROOF, { spentBy: 401, besideToken: true }),
    Refuses(TicketInvalidError),
  );

/** The ticket that counts for this request: an access token that comes along is the better proof, and HEAD opens nothing. */
export function ticketOf({ method, headers, query, routeOptions }: FastifyRequest): string | undefined {
  const isTaken = routeOptions.config.takesTicket === true && method === 'GET' && headers.authorization === undefined;
  const { ticket } = (query ?? {}) as { ticket?: unknown };
  return isTaken && typeof ticket === 'string' ? ticket : undefined;
}
