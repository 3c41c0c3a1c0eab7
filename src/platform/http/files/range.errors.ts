import { AsProblem, DomainError } from '../../../shared/domain-error.js';

@AsProblem(
  {
    code: 'range_not_satisfiable',
    kind: 'range_not_satisfiable',
    meaning: 'The file has no such bytes.',
    cause: '`Range` begins behind the end of the file.',
    cure: 'Take the size from `Content-Range`, or leave `Range` out.',
  },
  4_711,
)
export class RangeNotSatisfiableError extends DomainError {
  constructor(size: number) {
    super(`The file has ${String(size)} bytes.`);
  }
}
