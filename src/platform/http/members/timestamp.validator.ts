import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { canonicalInstant } from '../../../shared/instant.js';

/**
 * A point in time by RFC 3339 that exists, in a year of four digits. It is read as we write it, in UTC: PostgreSQL, too,
 * takes fewer offsets than the RFC.
 */
export function IsTimestamp(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ format: 'date-time' }),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (canonicalInstant(value) ?? value) : value,
    ),
    ValidateBy({
      name: 'isTimestamp',
      validator: {
        validate: (value) => typeof value === 'string' && canonicalInstant(value) !== null,
        defaultMessage: () => 'must be a date and time that exists, by RFC 3339, such as 2026-11-20T18:00:00Z',
      },
    }),
  );
}
