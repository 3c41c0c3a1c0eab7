import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Matches } from 'class-validator';

const PATTERN = /^[\w.:-]{1,100}$/;

/** What is printed on a device. It is read in capitals: people and scanners differ in the case of MACs and serials. */
export function IsHardwareId(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().toUpperCase() : value)),
    IsString(),
    Matches(PATTERN, { message: 'takes 1 to 100 letters, digits and . _ : -' }),
    ApiProperty({ type: String, pattern: PATTERN.source }),
  );
}
