import { NOT_FOUND } from '../../shared/common-problems.js';
import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem(NOT_FOUND)
export class NoSecurityContactError extends DomainError {
  constructor() {
    super('The operator of this installation has set no SECURITY_CONTACT.', { resource: 'security contact' });
  }
}
