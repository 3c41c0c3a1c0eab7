import { type ArgumentMetadata, type Type, type ValidationError, ValidationPipe } from '@nestjs/common';
import { AsProblem, DomainError, type FieldError } from '../../../shared/domain-error.js';
import { isTooDeep, MAX_JSON_DEPTH } from '../../../shared/json-payload.js';
import { fieldFaults, pointerTo, reservedMember, shownName, unknownMember } from './field-faults.js';
import { tooLongLists } from './list-bounds.js';
import { kindOf } from './rule-words.js';

/** Faults of one refusal: as many as there are rows in a list, and no more than a client can correct. */
const MAX_FAULTS = 1_000;

/** The request does not have the documented shape; `errors` points at its faults, and the first one is the `detail`. */
@AsProblem(
  {
    code: 'invalid_request',
    kind: 'invalid',
    meaning: 'The request does not have the documented shape.',
    cause: 'A member of the body, the query or the path is missing, unknown, or has the wrong type or range.',
    cure: 'Correct what `errors` points at; each pointer names the member. `detail` tells the first of them.',
  },
  [{ detail: '`name` must have 1 to 100 characters', pointer: '/name' }],
)
export class InvalidRequestError extends DomainError {
  override readonly errors: readonly FieldError[];

  constructor(faults: readonly FieldError[]) {
    super(faults[0]?.detail ?? 'The request does not have the documented shape.');
    this.errors = faults.slice(0, MAX_FAULTS);
  }
}

/** What class-validator found, before it is put into words. */
class BrokenRulesError extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('Rules are broken.');
  }
}

/** Members with a name that objects inherit, such as `toString`, are dropped before they can be refused as unknown. */
class CompleteValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // Sockets and contexts come through here, too, and are not looked into.
    const isInput = metadata.metatype !== undefined && this.toValidate(metadata);
    if (!isInput) {
      return super.transform(value, metadata);
    }
    assertObject(value);
    assertListsInBounds(metadata.metatype, value);
    assertNotTooDeep(value);
    const dropped = this.validatorOptions.forbidNonWhitelisted ? droppedMembers(value) : [];
    const transformed = await this.read(value, metadata);
    const faults = dropped.flatMap((path) => faultOfDropped(transformed, path));
    if (faults.length > 0) {
      throw new InvalidRequestError(faults);
    }
    return transformed;
  }

  private async read(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      throw error instanceof BrokenRulesError
        ? new InvalidRequestError(fieldFaults(error.errors, value, { isText: metadata.type === 'query' }))
        : error;
    }
  }
}

/** Nothing at all counts as an object without members. @throws InvalidRequestError */
function assertObject(value: unknown): void {
  if (value !== undefined && kindOf(value) !== 'an object') {
    throw new InvalidRequestError([{ detail: `the body must be a JSON object, not ${kindOf(value)}`, pointer: '' }]);
  }
}

/** A list beyond its bound is refused for that alone, at no more cost. @throws InvalidRequestError */
export function assertListsInBounds(type: Type, value: unknown): void {
  const faults = tooLongLists(type, value);
  if (faults.length > 0) {
    throw new InvalidRequestError(faults);
  }
}

/** @throws InvalidRequestError */
function assertNotTooDeep(value: unknown): void {
  // Bodies were read with this bound; messages of sockets come from a parser that has none.
  if (isTooDeep(value)) {
    const detail = `the body must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`;
    throw new InvalidRequestError([{ detail, pointer: '' }]);
  }
}

/** One pipe for HTTP bodies and queries and socket requests: unknown members are refused, not dropped. */
export function validationPipe(): ValidationPipe {
  return new CompleteValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    // For our words, which repeat nothing of them.
    validationError: { target: true, value: true },
    exceptionFactory: (errors) => new BrokenRulesError(errors),
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

/** Where the object that had the member is of a class of ours, or a map, which has no prototype. Of others nothing is kept. */
function faultOfDropped(root: unknown, path: readonly string[]): FieldError[] {
  const object = path
    .slice(0, -1)
    .reduce<unknown>((parent, name) => (parent as Record<string, unknown> | undefined)?.[name], root);
  if (typeof object !== 'object' || object === null || Array.isArray(object) || object.constructor === Object) {
    return [];
  }
  const fault = Object.getPrototypeOf(object) === null ? reservedMember : unknownMember;
  return [fault(shownName(path.join('.')), path.reduce(pointerTo, ''))];
}

/** The same rules for what no pipe sees: handshakes, batches. @throws InvalidRequestError */
export async function validated<T extends object>(type: Type<T>, value: unknown): Promise<T> {
  return (await validationPipe().transform(value, { type: 'body', metatype: type })) as T;
}
