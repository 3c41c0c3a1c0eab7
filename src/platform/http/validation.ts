import { type Type, type ValidationError, ValidationPipe } from '@nestjs/common';
import { DomainError, type FieldError } from '../../shared/domain-error.js';

/** The request does not have the documented shape; `errors` points at every fault. */
export class InvalidRequestError extends DomainError {
  readonly code = 'invalid_request';
  readonly kind = 'invalid';

  constructor(override readonly errors: readonly FieldError[]) {
    super('The request does not have the documented shape.');
  }
}

/** One pipe for HTTP bodies and queries and socket requests: unknown members are refused, not dropped. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: invalidRequest,
  });
}

/** The refusal of what class-validator found wrong. */
export function invalidRequest(errors: readonly ValidationError[]): InvalidRequestError {
  return new InvalidRequestError(errors.flatMap((error) => faults(error, '')));
}

function faults(error: ValidationError, parent: string): FieldError[] {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return [
    ...Object.values(error.constraints ?? {}).map((detail) => ({ detail, pointer })),
    ...(error.children ?? []).flatMap((child) => faults(child, pointer)),
  ];
}

/** The same rules for what no pipe sees: handshakes, batches. @throws InvalidRequestError */
export async function validated<T extends object>(type: Type<T>, value: unknown): Promise<T> {
  return (await validationPipe().transform(value, { type: 'body', metatype: type })) as T;
}
