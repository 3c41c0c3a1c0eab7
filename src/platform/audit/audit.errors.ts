import { DomainError, AsProblem } from '../../shared/domain-error.js';

/** A mistake of ours: a change was about to be committed without its audit entry. */
@AsProblem(
  {
    code: 'unaudited_change',
    kind: 'internal',
    meaning: 'A change was refused because it would not have been recorded.',
    cause: 'A mistake in the server: a change without an entry in the audit trail.',
    cure: 'Report it, with the request id. Nothing was changed.',
  },
  'setting_updated',
)
export class UnauditedChangeError extends DomainError {
  constructor(action: string) {
    super(`A transaction of "${action}" recorded nothing in the audit trail.`);
  }
}
