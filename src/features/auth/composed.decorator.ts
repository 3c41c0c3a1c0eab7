import { Transform } from 'class-transformer';

/** Counts the characters people see: the same password has one length, however the keyboard composed it (NFC). */
export const Composed = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.normalize('NFC') : value));
