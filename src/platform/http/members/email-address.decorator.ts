import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, MaxLength, ValidateBy } from 'class-validator';
import { canonicalIdentifier, emailFault } from '../../../shared/identifiers.js';

const MAX_LENGTH = 254;

/** An e-mail address, which is read in its one spelling: the same is kept, compared, counted and mailed to. */
export function IsEmailAddress(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? canonicalIdentifier(value) : value)),
    IsEmail(),
    MaxLength(MAX_LENGTH),
    ValidateBy({
      name: 'isPlainEmail',
      validator: {
        validate: (value) => faultOf(value) === null,
        defaultMessage: (asked) => faultOf(asked?.value) ?? '',
      },
    }),
    ApiProperty({ type: String, format: 'email', maxLength: MAX_LENGTH }),
  );
}

function faultOf(value: unknown): string | null {
  return typeof value === 'string' ? emailFault(value) : null;
}
