import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../tools/stack/paths.js';

const run = promisify(execFile);

/**
 * The OpenAPI document of the application as it was built: only the compiler of the build reads the types of answers
 * into it.
 */
export async function builtDocument<T>(): Promise<T> {
  // Inside of the clone, so that the client that is made beside it finds its one dependency.
  const directory = join(ROOT, '.mortise', `document-${String(process.pid)}`);
  await mkdir(directory, { recursive: true });
  try {
    await run(process.execPath, [join(ROOT, 'dist', 'tools', 'sdk', 'main.js'), directory], { timeout: 90_000 });
    return JSON.parse(await readFile(join(directory, 'openapi.json'), 'utf8')) as T;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
