import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Matches } from 'class-validator';

/** With at least one letter or digit, and blanks only between others. */
const PATTERN = /^(?=.{1,100}$)(?=.*[A-Za-z0-9])[\w.:-]+(?: [\w.:-]+)*$/;

/** What is printed on a device. It is read in capitals: people and scanners differ in the case of MACs and serials. */
export function IsHardwareId(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.trim().replaceAll(/\s+/g, ' ').toUpperCase() : value,
    ),
    IsString(),
    Matches(PATTERN, { message: 'takes 1 to 100 letters, digits, blanks and . _ : -' }),
    ApiProperty({ type: String, pattern: PATTERN.source }),
  );
}
