import { NOT_FOUND } from '../../shared/common-problems.js';
import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(NOT_FOUND)
export class UnknownProblemCodeError extends DomainError {
  constructor() {
    super('No refusal of this installation has this code.', { resource: 'problem' });
  }
}
