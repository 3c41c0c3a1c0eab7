import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The clone. This file runs from `dist/tools/stack`, and under Jest from `tools/stack`. */
export const ROOT = import.meta.dirname.includes(join('dist', 'tools'))
  ? join(import.meta.dirname, '..', '..', '..')
  : join(import.meta.dirname, '..', '..');

/** Files that outlive a run and are not source: databases, keys, demo tokens. Ignored by git. */
export const STATE = join(ROOT, '.mortise');

/** A folder under `.mortise`, made when missing. The files with secrets in it carry mode 0600 each. */
export async function stateFolder(...names: string[]): Promise<string> {
  const folder = join(STATE, ...names);
  await mkdir(folder, { recursive: true });
  return folder;
}
