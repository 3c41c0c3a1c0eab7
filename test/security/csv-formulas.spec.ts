/**
 * P-32: no cell of an exported file is a formula, for readers of any region. Cells are generated, copied out by PostgreSQL as exports are,
 * and opened by a parser that is not ours, with each separator that spreadsheets use. Seen to fail without the look behind semicolons, and with a
 * look-ahead that ended with its chunk.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Papa from 'papaparse';
import { type Snapshot, SnapshotReader, sqlText } from '../../src/platform/prisma/snapshot-reader.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { CopiedCsvReader } from '../../src/shared/csv/copied-csv-reader.js';
import { csvLines } from '../../src/shared/csv/csv.js';
import { recordFigure, SEED } from '../support/promise.js';
import { seededRandom } from '../support/seeded-random.js';
import { TestApp } from '../support/test-app.js';

const ROWS = 10_000;
const COLUMNS = 11;
/** What cells are made of: signs, what hides them, separators, quotes, and harmless text. */
const PARTS = [
  '=',
  '+',
  '-',
  '@',
  '＝',
  '＋',
  '－',
  '＠',
  ' ',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '\t',
  '\r',
  '\n',
  '\r\n',
  ';',
  ',',
  '"',
  '""',
  "'",
  'a',
  'é',
  '🚪',
  '1',
  'sum(A1)',
  '\\.',
  'NULL',
  '',
];
/** What a spreadsheet runs: it skips what cannot be seen. */
const FORMULA = /^[\s\p{Cf}"]*[=+\-@＝＋－＠]/u;
const SEPARATORS = [',', ';', '\t'];

let application: TestApp;

beforeAll(async () => {
  application = await TestApp.start({ only: { modules: [PrismaModule] } });
});
afterAll(() => application.stop());

function cells(): string[][] {
  const random = seededRandom(SEED);
  const pick = (): string => PARTS[Math.floor(random() * PARTS.length)] ?? '';
  return Array.from({ length: ROWS }, () =>
    Array.from({ length: COLUMNS }, () => Array.from({ length: Math.floor(random() * 7) }, pick).join('')),
  );
}

async function copied(rows: readonly string[][]): Promise<string> {
  const names = Array.from({ length: COLUMNS }, (_, index) => `c${String(index)}`);
  const columns = names.map((name, index) => `r.value ->> ${String(index)} AS ${name}`);
  const query = `SELECT ${columns.join(', ')} FROM json_array_elements(${sqlText(JSON.stringify(rows))}::json) WITH ORDINALITY r ORDER BY ordinality`;
  const read = async (snapshot: Snapshot): Promise<string> => {
    const csv = new CopiedCsvReader();
    const pieces: Buffer[] = [];
    for await (const piece of csv.read(snapshot.copy(query, `FORMAT csv, FORCE_QUOTE (${names.join(', ')})`))) {
      pieces.push(Buffer.from(piece));
    }
    expect(csv.lines).toBe(ROWS);
    return Buffer.concat(pieces).toString();
  };
  return application.get(SnapshotReader).run({ holder: 'one', timeZone: 'UTC', timeoutMs: 60_000 }, read);
}

describe('P-32: no formula in a file of CSV', () => {
  it(`in ${String(ROWS * COLUMNS)} generated cells, whatever separates them for its reader`, async () => {
    const rows = cells();
    const text = await copied(rows);
    const opened = Papa.parse<string[]>(text, { delimiter: ',', newline: '\r\n' }).data.slice(0, -1);
    const ours = Papa.parse<string[]>(csvLines(rows), { delimiter: ',', newline: '\r\n' }).data.slice(0, -1);
    expect(opened).toHaveLength(ROWS);
    // By the rule of the other files of ours, which changes nothing but what is dangerous.
    const differing = opened.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(ours[index]));
    expect({ differing, row: rows[differing], opened: opened[differing] }).toEqual({
      differing: -1,
      row: undefined,
      opened: undefined,
    });
    const formulas = SEPARATORS.flatMap((separator) =>
      Papa.parse<string[]>(text, { delimiter: separator, quoteChar: separator === ',' ? '"' : '\0' })
        .data.flat()
        .filter((cell) => FORMULA.test(cell)),
    );
    expect(formulas.slice(0, 3)).toEqual([]);
    recordFigure({
      promise: 'P-32',
      shown: `cells made of signs, quotes, separators and invisible characters, copied out by PostgreSQL, opened by another parser as separated by commas, semicolons and tabs.`,
      n: ROWS * COLUMNS,
      figure: `${String(formulas.length)} formulas`,
      seed: SEED,
    });
  }, 60_000);
});
