import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';
import { canonicalId } from '../../../shared/ids.js';

/** A text that may be an id: then it is read in its one spelling. */
export function SpelledAsId(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => spelled(value));
}

/** An id, which is read in its one spelling. */
export function IsId(): PropertyDecorator {
  return applyDecorators(SpelledAsId(), IsUUID(), ApiProperty({ type: String, format: 'uuid' }));
}

/** A list of them. */
export function AreIds(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(spelled) : value)),
    IsUUID('all', { each: true }),
    ApiProperty({ type: [String], format: 'uuid' }),
  );
}

function spelled(value: unknown): unknown {
  return typeof value === 'string' ? canonicalId(value) : value;
}
