import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';

/** A UUID, which is read in lower case (RFC 9562), as every id here is written and compared. */
export function IsId(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => lowerCase(value)),
    IsUUID(),
    ApiProperty({ type: String, format: 'uuid' }),
  );
}

/** A list of them. */
export function AreIds(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(lowerCase) : value)),
    IsUUID('all', { each: true }),
    ApiProperty({ type: [String], format: 'uuid' }),
  );
}

function lowerCase(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
