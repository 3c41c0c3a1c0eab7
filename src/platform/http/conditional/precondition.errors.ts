import { DomainError, AsProblem } from '../../../shared/domain-error.js';

@AsProblem({
  code: 'invalid_if_match',
  kind: 'invalid',
  meaning: '`If-Match` cannot be read.',
  cause: 'It is not one or more entity tags in double quotes (RFC 9110).',
  cure: 'Send the `ETag` as it was served, with its quotes.',
})
export class InvalidIfMatchError extends DomainError {
  constructor() {
    super('If-Match takes one or more entity tags in double quotes, as ETag serves them, or * (RFC 9110).');
  }
}
