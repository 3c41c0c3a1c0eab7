import { describe, expect, it } from '@jest/globals';
import { segmentsOf, smsText } from './sms-text.js';

const URL = 'https://doors.example.com/notifications';

describe('segmentsOf', () => {
  it.each([
    ['', 1],
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['ä'.repeat(306), 2],
    ['a'.repeat(307), 3],
    // An escape, and seven bits.
    ['€'.repeat(80), 1],
    [`${'€'.repeat(80)}a`, 2],
    // 152 septets, and one that is escaped: it is no part of the first.
    [`${'a'.repeat(152)}€${'a'.repeat(152)}`, 3],
    ['“'.repeat(70), 1],
    ['“'.repeat(71), 2],
    ['🚪'.repeat(35), 1],
    // 33 pairs in each.
    ['🚪'.repeat(66), 2],
    ['🚪'.repeat(67), 3],
  ])('counts as networks do (%#)', (text, segments) => {
    expect(segmentsOf(text)).toBe(segments);
  });
});

describe('smsText', () => {
  it('has title, text and link, in the alphabet that is cheap', () => {
    const text = smsText('„Haustür“ offen', 'Seit 5:00\u202fPM – schau nach…', URL);
    expect(text).toBe(`"Haustür" offen\nSeit 5:00 PM - schau nach...\n${URL}`);
    expect(segmentsOf(text)).toBe(1);
    expect(smsText('a', 'b', null)).toBe('a\nb');
  });

  it.each([
    ['a', 2],
    ['€', 2],
    ['Я', 4],
    ['🚪', 4],
  ])('cuts what is too long, and keeps the link whole (%s)', (letter, most) => {
    const text = smsText('Long', letter.repeat(1_000), URL);
    expect(text).toMatch(new RegExp(`^Long\n(?:${letter}){40,}\\.\\.\\.\n${URL}$`, 'u'));
    expect(text.length).toBeLessThanOrEqual(320);
    expect(segmentsOf(text)).toBeLessThanOrEqual(most);
  });
});
