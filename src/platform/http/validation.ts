import { type ArgumentMetadata, type Type, type ValidationError, ValidationPipe } from '@nestjs/common';
import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';
import { isTooDeep, MAX_JSON_DEPTH } from '../../shared/json-payload.js';

/** The request does not have the documented shape; `errors` points at every fault. */
@AsProblem(
  {
    code: 'invalid_request',
    kind: 'invalid',
    meaning: 'The request does not have the documented shape.',
    cause: 'A member of the body, the query or the path is missing, unknown, or has the wrong type or range.',
    cure: 'Correct what `errors` points at; each pointer names the member.',
  },
  [{ detail: 'name must be longer than or equal to 1 characters', pointer: '/name' }],
)
export class InvalidRequestError extends DomainError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('The request does not have the documented shape.');
  }
}

/** Members with a name that objects inherit, such as `toString`, are dropped before they can be refused as unknown. */
class CompleteValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // Sockets and contexts come through here, too, and are not looked into.
    const isInput = metadata.metatype !== undefined && this.toValidate(metadata);
    // The framework takes null for an object without members, as it does nothing at all.
    if (isInput && value === null) {
      throw new InvalidRequestError([{ detail: 'must be an object', pointer: '' }]);
    }
    // Bodies were read with this bound; messages of sockets come from a parser that has none.
    if (isInput && isTooDeep(value)) {
      const detail = `must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`;
      throw new InvalidRequestError([{ detail, pointer: '' }]);
    }
    const dropped = isInput && this.validatorOptions.forbidNonWhitelisted ? droppedMembers(value) : [];
    const transformed: unknown = await super.transform(value, metadata);
    const unknown = dropped.filter((path) => isMemberOfClass(transformed, path));
    if (unknown.length > 0) {
      throw new InvalidRequestError(
        unknown.map((path) => ({
          detail: `property ${path.at(-1) ?? ''} should not exist`,
          pointer: path.reduce(pointerTo, ''),
        })),
      );
    }
    return transformed;
  }
}

/** One pipe for HTTP bodies and queries and socket requests: unknown members are refused, not dropped. */
export function validationPipe(): ValidationPipe {
  return new CompleteValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: invalidRequest,
  });
}

/** The paths to members that class-transformer and the pipe of the framework drop. */
function droppedMembers(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) =>
    name in Object.prototype || name === 'prototype' ? [[name]] : droppedMembers(member).map((path) => [name, ...path]),
  );
}

/** Whether the object that had the member is of a class of ours; others may have any members. */
function isMemberOfClass(root: unknown, path: readonly string[]): boolean {
  const object = path
    .slice(0, -1)
    .reduce<unknown>((parent, name) => (parent as Record<string, unknown> | undefined)?.[name], root);
  return typeof object === 'object' && object !== null && !Array.isArray(object) && object.constructor !== Object;
}

function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The refusal of what class-validator found wrong. */
export function invalidRequest(errors: readonly ValidationError[]): InvalidRequestError {
  return new InvalidRequestError(errors.flatMap((error) => faults(error, '')));
}

function faults(error: ValidationError, parent: string): FieldError[] {
  const pointer = pointerTo(parent, error.property);
  return [
    ...Object.values(error.constraints ?? {}).map((detail) => ({ detail, pointer })),
    ...(error.children ?? []).flatMap((child) => faults(child, pointer)),
  ];
}

/** The same rules for what no pipe sees: handshakes, batches. @throws InvalidRequestError */
export async function validated<T extends object>(type: Type<T>, value: unknown): Promise<T> {
  return (await validationPipe().transform(value, { type: 'body', metatype: type })) as T;
}
