import { DomainError } from '../../shared/domain-error.js';

export class IpNotBlockedError extends DomainError {
  readonly code = 'address_not_blocked';
  readonly kind = 'not_found';

  constructor() {
    super('This IP address is not blocked, or no longer.');
  }
}
