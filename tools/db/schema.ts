import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../stack/paths.js';

const SCHEMA = join(ROOT, 'prisma', 'schema');

/** The schema that the code is written against, all its files as one. */
export async function readSchema(): Promise<string> {
  const names = (await readdir(SCHEMA)).filter((name) => name.endsWith('.prisma')).sort();
  const files = await Promise.all(names.map((name) => readFile(join(SCHEMA, name), 'utf8')));
  return `${files.map((content) => content.trim()).join('\n\n')}\n`;
}
