import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { leastProcessorMs } from '../../../../test/support/processor-time.js';
import { NormalizeNfc } from './normalize-nfc.decorator.js';

class SampleDto {
  @NormalizeNfc()
  password!: unknown;
}

const normalized = (password: unknown): unknown => plainToInstance(SampleDto, { password }).password;

describe('NormalizeNfc', () => {
  it('composes what may be a password, and leaves alone what is no text', () => {
    expect(normalized('e\u0301'.repeat(128))).toBe('\u00e9'.repeat(128));
    expect(normalized(7)).toBe(7);
  });

  it('takes no time for a body full of marks, which is too long in any form', () => {
    const marks = `a${'\u0316\u0301'.repeat(16_000)}`;
    expect(normalized(marks)).toBe(marks);
    // To compose it takes hundreds of milliseconds each time.
    expect(leastProcessorMs(() => normalized(marks))).toBeLessThan(50);
  });
});
