import { describe, expect, it } from '@jest/globals';
import { csvLine, MalformedCsvError, parseCsv } from './csv.js';

describe('csvLine', () => {
  it('quotes what would end a cell or a line, and nothing else (RFC 4180)', () => {
    expect(csvLine(['a', 'b c', 'd,e', 'f"g', 'h\ni', null, 7, true])).toBe('a,b c,"d,e","f""g","h\ni",,7,true\r\n');
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\tx',
    '\rx',
    '\nx',
    ' =1',
    '\u00A0=1',
    '\u200B=1',
    '\t=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
  ])('leaves no formula in %j', (text) => {
    expect(parseCsv(csvLine([text]))[0]?.cells).toEqual([`'${text}`]);
  });

  it.each(['a\rb', 'a\nb', '=a\r=b', '\n=a\r\n=b'])('begins no record within %j', (text) => {
    const [record, ...others] = parseCsv(csvLine([text, 'last']));
    expect(record?.cells[0]?.replace(/^'/, '')).toBe(text);
    expect(record?.cells[1]).toBe('last');
    expect(others).toEqual([]);
  });

  it('leaves numbers as they are', () => {
    expect(csvLine([-1])).toBe('-1\r\n');
  });
});

describe('parseCsv', () => {
  it.each(['\r\n', '\n', '\r'])('reads back what was written, with lines that end in %j', (end) => {
    const rows = [
      ['a', 'b,c'],
      ['d"e', ''],
      ['f\r\ng', 'h'],
    ];
    const text = rows.map((row) => csvLine(row).replace(/\r\n$/, end)).join('');
    expect(parseCsv(text).map(({ cells }) => cells)).toEqual(rows);
  });

  it('takes a byte order mark, blank lines, and a last line without an end', () => {
    expect(parseCsv('\uFEFFa,b\n\n"c\nd",\ne')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 3, cells: ['c\nd', ''] },
      { line: 5, cells: ['e'] },
    ]);
    expect(parseCsv('')).toEqual([]);
  });

  it('counts lines that end in CR LF once, also within quotes', () => {
    expect(parseCsv('"a\r\n\r\nb"\r\n\r\nc\rd\ne').map(({ line }) => line)).toEqual([1, 5, 6, 7]);
  });

  it.each([
    ['a\n"open', 2],
    ['a\r\n"b\r\nc",d\r\ne\r\n"open\r\n\r\n', 5],
    ['a"b', 1],
    ['"a"b', 1],
    ['a\nb\nc,"d"e', 3],
  ])('says in which line %j is wrong', (text, line) => {
    expect(() => parseCsv(text)).toThrow(MalformedCsvError);
    try {
      parseCsv(text);
    } catch (error) {
      expect((error as MalformedCsvError).line).toBe(line);
    }
  });
});
