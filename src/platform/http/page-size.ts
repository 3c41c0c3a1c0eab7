import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { IfGiven } from './members/if-given.js';

/** A whole number from 1 to `max`. */
export function PageSize(max: number, fallback: number): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    Type(() => Number),
    ValidateBy({
      name: 'pageSize',
      validator: {
        validate: (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max,
        defaultMessage: () => `must be a whole number between 1 and ${String(max)}`,
      },
    }),
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: max, default: fallback }),
  );
}
