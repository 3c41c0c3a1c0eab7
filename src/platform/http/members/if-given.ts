import { IsOptional, ValidateIf } from 'class-validator';

/** For a member that may be missing but must not be null; class-validator's `IsOptional` lets null through. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined);
}

/** For a member that may be missing or null; its documentation says what null means. */
export function OrNull(): PropertyDecorator {
  return IsOptional();
}
