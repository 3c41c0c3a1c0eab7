/** Seen to fail: with a cell of a time that was judged by the bytes that had come, and with an offset that has minutes already. */
import { describe, expect, it } from '@jest/globals';
import { CopiedCsvReader } from './copied-csv-reader.js';

const COPIED = [
  'at,"text",until',
  '2026-11-01 08:00:00+01,"2026-11-01 08:00:00+01",2026-11-01 08:00:00.25-03',
  '2026-11-01 12:45:00.000001+05:45,"a ""b"" c",',
  ',"=1",infinity',
  '1890-01-01 00:00:00+00:53:28,"x;=1",2026-11-01 00:00:00+00',
]
  .map((line) => `${line}\n`)
  .join('');
const READ = [
  'at,"text",until',
  '2026-11-01T08:00:00+01:00,"2026-11-01 08:00:00+01",2026-11-01T08:00:00.25-03:00',
  '2026-11-01T12:45:00.000001+05:45,"a ""b"" c",',
  `,"'=1",infinity`,
  `1890-01-01T00:00:00+00:53:28,"x;'=1",2026-11-01T00:00:00+00:00`,
]
  .map((line) => `${line}\r\n`)
  .join('');

async function read(text: string, size: number): Promise<string> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    Buffer.from(bytes.subarray(n * size, (n + 1) * size)),
  );
  let all = '';
  for await (const piece of new CopiedCsvReader().read(stream(chunks))) {
    all += piece.toString();
  }
  return all;
}

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    yield await Promise.resolve(chunk);
  }
}

describe('CSV that PostgreSQL copied out', () => {
  it('has times of RFC 3339 and CR LF, and texts as they are, in whatever pieces it comes', async () => {
    const sizes = [1, 2, 3, 7, 23, 1_000];
    expect(await Promise.all(sizes.map((size) => read(COPIED, size)))).toEqual(sizes.map(() => READ));
  });

  it('may end within a time', async () => {
    expect(await read('2026-11-01 08:00:00+01', 5)).toBe('2026-11-01T08:00:00+01:00');
  });
});
