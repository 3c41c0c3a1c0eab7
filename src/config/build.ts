import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of package.json: of a clone, or of the image. The code lies below it, wherever it was compiled to. */
export const ROOT_FOLDER = rootOf(import.meta.dirname);

/** The version of this code. */
export const VERSION = (JSON.parse(readFileSync(join(ROOT_FOLDER, 'package.json'), 'utf8')) as { version: string })
  .version;

function rootOf(folder: string): string {
  const parent = dirname(folder);
  return existsSync(join(folder, 'package.json')) || parent === folder ? folder : rootOf(parent);
}
