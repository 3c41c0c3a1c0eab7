import { ValidateIf } from 'class-validator';

/** For a member that may be missing but must not be null; class-validator's `IsOptional` lets null through. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined);
}
