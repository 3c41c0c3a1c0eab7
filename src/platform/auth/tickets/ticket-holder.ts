import type { Principal } from '../principal.js';

/** Who a ticket stands for, and until when the access token counts that it was issued for, in milliseconds since 1970. */
export interface TicketHolder {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}
