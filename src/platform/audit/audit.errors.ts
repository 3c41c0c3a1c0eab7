import { DomainError } from '../../shared/domain-error.js';

/** A mistake of ours: a change was about to be committed without its audit entry. */
export class UnauditedChangeError extends DomainError {
  readonly code = 'unaudited_change';
  readonly kind = 'internal';
  constructor(action: string) {
    super(`A transaction of "${action}" recorded nothing in the audit trail.`);
  }
}
