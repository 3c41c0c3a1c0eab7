import { Transform } from 'class-transformer';

/**
 * Composing takes time with the square of the length where marks are out of order: half a second for a body full of them.
 * What is longer than this stays as it is, and is too long for its field in any form.
 */
const LONGEST = 1_024;

/** Composes a text (NFC) before it is validated, so that the same password has one length, however the keyboard wrote it. */
export const NormalizeNfc = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && value.length <= LONGEST ? value.normalize('NFC') : value,
  );
