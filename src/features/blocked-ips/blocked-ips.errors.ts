import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem({
  code: 'address_not_blocked',
  kind: 'not_found',
  meaning: 'The address is not blocked.',
  cause: 'Its block has ended, or it never was.',
  cure: 'Nothing is to be done.',
})
export class IpNotBlockedError extends DomainError {
  constructor() {
    super('This IP address is not blocked, or no longer.');
  }
}
