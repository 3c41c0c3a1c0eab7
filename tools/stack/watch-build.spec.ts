import { describe, expect, it } from '@jest/globals';
import { compilationsIn } from './watch-build.js';

const START = '[\u001b[90m3:04:05 PM\u001b[0m] File change detected. Starting incremental compilation...\n\n';
const end = (errors: string): string =>
  `[\u001b[90m3:04:07 PM\u001b[0m] Found ${errors}. Watching for file changes.\n\n`;

/** What was told after `text` came in pieces of this length. */
function told(text: string, length: number): (string | undefined)[] {
  const results: (string | undefined)[] = [];
  const take = compilationsIn((errors) => results.push(errors));
  for (let at = 0; at < text.length; at += length) {
    take(text.slice(at, at + length));
  }
  return results;
}

describe('the output of the compiler', () => {
  it.each([1, 7, 10_000])('is understood in pieces of %d characters', (length) => {
    const wrong = "src/main.ts:1:14 - error TS2322: Type 'string' is not assignable to type 'number'.";
    const text = START + end('0 errors') + START + wrong + '\n\n' + end('1 error') + START + end('0 errors');
    expect(told(text, length)).toEqual([undefined, wrong, undefined]);
  });
});
