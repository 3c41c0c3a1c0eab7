import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { canonicalTimeZone, isForeignTimeZone } from '../../../shared/time-zone.js';

/** The name of a time zone in any case, which is read as the IANA database spells it; no offset. */
export function IsTimeZoneName(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (canonicalTimeZone(value) ?? value) : value,
    ),
    ValidateBy({
      name: 'isTimeZoneName',
      validator: {
        validate: (value) =>
          typeof value === 'string' && canonicalTimeZone(value) !== null && !isForeignTimeZone(value),
        defaultMessage: () => 'must be an IANA time zone name, such as Europe/Berlin',
      },
    }),
  );
}
