import { Transform } from 'class-transformer';

/** Composes a text (NFC) before it is validated, so that the same password has one length, however the keyboard wrote it. */
export const NormalizeNfc = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.normalize('NFC') : value));
