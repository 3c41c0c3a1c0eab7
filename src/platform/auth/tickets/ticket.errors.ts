import { AsProblem, DomainError } from '../../../shared/domain-error.js';

/** It opens nothing, or nothing any more. */
@AsProblem({
  code: 'ticket_invalid',
  kind: 'unauthenticated',
  meaning: 'The ticket is not valid.',
  cause: 'It was used, is older than 30 seconds, was issued by another installation, or was lost with Redis.',
  cure: 'Ask for a new one (`POST /events/tickets`) before each connection, also when one is lost.',
})
export class TicketInvalidError extends DomainError {
  override readonly challenge = 'The ticket is not valid';

  constructor() {
    super('The ticket was used before, is older than 30 seconds, or is none of this installation. Ask for a new one.');
  }
}
