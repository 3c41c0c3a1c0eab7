import { applyDecorators } from '@nestjs/common';
import { IsRFC3339, ValidateBy } from 'class-validator';

/** A point in time by RFC 3339 that exists, in a year of four digits: PostgreSQL can store it. */
export function IsTimestamp(): PropertyDecorator {
  return applyDecorators(
    IsRFC3339(),
    ValidateBy({
      name: 'isTimestamp',
      validator: {
        validate: (value) => typeof value === 'string' && value.length <= 40 && isStorable(Date.parse(value)),
        defaultMessage: () => '$property must be a date and time that exists',
      },
    }),
  );
}

function isStorable(time: number): boolean {
  return time >= Date.UTC(1970, 0, 1) && time < Date.UTC(10_000, 0, 1);
}
