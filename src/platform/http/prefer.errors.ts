import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem({
  code: 'invalid_prefer',
  kind: 'invalid',
  meaning: 'The header `Prefer` has a `wait` that cannot be read.',
  cause: 'It is no whole number of seconds: it has a unit, a fraction or a sign, or is no number.',
  cure: 'Send `Prefer: wait=10`, or leave it out. At most 30 seconds are waited.',
})
export class InvalidPreferError extends DomainError {
  constructor() {
    super('`Prefer: wait` takes a whole number of seconds, as in `wait=10` (RFC 7240); at most 30 are waited.');
  }
}
