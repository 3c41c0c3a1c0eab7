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
    '＝1',
    '＋1',
    '－1',
    '＠x',
  ])('leaves no formula in %j', (text) => {
    expect(parseCsv(csvLine([text]))[0]?.cells).toEqual([`'${text}`]);
  });

  it.each([
    ['a\rb', 'a\rb'],
    ['a\nb', 'a\nb'],
    ['=a\r=b', "'=a\r'=b"],
    ['\n=a\r\n=b', "'\n'=a\r\n'=b"],
  ])('begins no record within %j', (text, escaped) => {
    expect(parseCsv(csvLine([text, 'last'])).map(({ cells }) => cells)).toEqual([[escaped, 'last']]);
  });

  it.each([
    ['a;=1+1', "a;'=1+1"],
    ['a; +1;-2', "a;' +1;'-2"],
    ['a\t@SUM(A1)', "a\t'@SUM(A1)"],
    ['a;"=1', 'a;\'"=1'],
    ['a;\u200b\uff1d1', "a;'\u200b\uff1d1"],
    ['a\n=1', "a\n'=1"],
    ['\t=1', "'\t'=1"],
    ['a;b=1, -2', 'a;b=1, -2'],
  ])('leaves no formula to readers with another separator in %j', (text, escaped) => {
    expect(parseCsv(csvLine(['first', text]))[0]?.cells).toEqual(['first', escaped]);
    for (const separator of [';', '\t', ',']) {
      const cells = csvLine(['first', text]).split(new RegExp(`[${separator}\r\n]`));
      expect(cells.filter((cell) => /^[\s\p{Cf}"]*[=+@\uff1d-]/u.test(cell) && !cell.startsWith(' -2'))).toEqual([]);
    }
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
    ['a;b\r\n1;"2;3"\r\n', ';'],
    ['a\tb\n1\t"2;3"\n', '\t'],
    ['a,b\n1,2;3\n', ','],
    ['"a;;;;",b\n1,2;3\n', ','],
    ['\uFEFF\r\na;b\r\n1;2;3\r\n', ';'],
    [',,,\na;b\n1;2,3\n', ';'],
    ['\uFEFF;;;\r\n\t\t\r\n \u00a0,\r\na,b\r\n1,2;3\r\n', ','],
    [';"";\n;" ,";\na;b\n1;2,3\n', ';'],
    [',,,\r"a";"b,,,,"\r1;2,3\r', ';'],
    [',,,\n"\n";;\n"a\n";"b"\n1;2,3\n', ';'],
  ])('sees what separates the cells of %j', (text, separator) => {
    const rows = parseCsv(text).map(({ cells }) => cells);
    expect(rows[0]).toHaveLength(2);
    expect(rows[1]).toEqual(
      parseCsv(`sep=${separator}\n${text.trim()}`)
        .map(({ cells }) => cells)
        .at(-1),
    );
  });

  it('looks for it behind any number of rows that hold nothing', () => {
    expect(parseCsv(`\uFEFF${',,,,\n'.repeat(2_000)}a;b\n`)).toEqual([{ line: 2_001, cells: ['a', 'b'] }]);
    expect(parseCsv('\uFEFFsep=;\r\n,,,\r\n;;\r\na;b,c\r\n')).toEqual([{ line: 4, cells: ['a', 'b,c'] }]);
  });

  it.each(['sep=,\na,b;c\n', 'sep=;\r\na;"b;c"', '\uFEFFSEP=;\ra;b\r', '"sep=;"\na;b', 'sep=|\na|b,c'])(
    'does as the first line of %j says, and counts it',
    (text) => {
      const [record, ...others] = parseCsv(text);
      expect([record?.line, record?.cells[0], record?.cells.length, others]).toEqual([2, 'a', 2, []]);
    },
  );

  it.each([
    'sep="\na"b',
    '"sep=""\na',
    '"sep="\na',
    'sep=\na',
    'sep=a\nab',
    'SEP= \na b',
    'sep=\u{1f511}',
    'sep=\\\r\na',
  ])('takes no such separator as %j names, and says so', (text) => {
    expect(() => parseCsv(text)).toThrow(
      expect.objectContaining({ line: 1, message: expect.stringMatching(/^sep= /) }),
    );
  });

  it('skips lines of blank cells', () => {
    expect(parseCsv('a,b\n,\n \u00a0,\t\n,,,,\nc,d')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 5, cells: ['c', 'd'] },
    ]);
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
