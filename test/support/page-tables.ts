import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';

/** A table of a page, with the heading that it stands under. */
export interface PageTable {
  readonly heading: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables of a page of docs, in their order. */
export async function tablesOf(page: string): Promise<PageTable[]> {
  const lines = (await readFile(join(ROOT, 'docs', page), 'utf8')).split('\n');
  const tables: PageTable[] = [];
  let heading = '';
  lines.forEach((line, index) => {
    heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    if (/^\|(-+\|)+$/.test(line)) {
      const body = lines.slice(index + 1);
      const end = body.findIndex((row) => !row.startsWith('|'));
      const rows = body.slice(0, end === -1 ? body.length : end).map(cellsOf);
      tables.push({ heading, head: cellsOf(lines[index - 1] ?? ''), rows });
    }
  });
  return tables;
}

/** What stands in backticks. */
export function namesIn(text = ''): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, row.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}
