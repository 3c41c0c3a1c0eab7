import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length, Matches } from 'class-validator';
import { NormalizeNfc } from './members/normalize-nfc.decorator.js';

/** Blanks that Unicode counts as letters or symbols. */
const BLANKS = '\\u115f\\u1160\\u2800\\u3164\\uffa0';

/**
 * Text that shows: at least one character that is seen, none that controls, and none that turns the direction of what
 * stands beside it. Joiners may be part of it: scripts and pictures need them.
 */
export const VISIBLE = new RegExp(
  `^(?=.*[^\\s\\p{Cc}\\p{Cf}\\p{M}${BLANKS}])[^\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]*$`,
  'u',
);

const LINE_BREAK = /[\r\n\u0085\u2028\u2029]/;

/** What is said of other text, with `@Matches`. */
export const notVisible = {
  message: ({ value }: { readonly value: unknown }): string =>
    typeof value === 'string' && LINE_BREAK.test(value)
      ? 'must be visible text in one line, without line breaks'
      : 'must be visible text',
};

/**
 * Text for people, to be kept or to be searched for. It is read composed (NFC) and without space around it, so that it
 * is found however a keyboard wrote it.
 */
export function IsVisibleText({ min = 1, max = 100 } = {}): PropertyDecorator {
  return applyDecorators(
    NormalizeNfc(),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    Length(min, max),
    Matches(VISIBLE, notVisible),
    ApiProperty({ type: String, minLength: min, maxLength: max }),
  );
}
