import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { IfGiven } from './if-given.js';

/** A whole number from 1 to `max`; the one thing that is wrong with another is said, and not all that follows from it. */
export function PageSize(max: number, fallback: number): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    Type(() => Number),
    ValidateBy({
      name: 'pageSize',
      validator: {
        validate: (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max,
        defaultMessage: (asked) =>
          Number.isInteger(asked?.value)
            ? `$property must be from 1 to ${String(max)}`
            : '$property must be a whole number',
      },
    }),
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: max, default: fallback }),
  );
}
