import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../tools/stack/paths.js';

const run = promisify(execFile);

/** The OpenAPI document of the application as it was built. */
export async function builtDocument<T>(): Promise<T> {
  return JSON.parse((await builtDocuments()).openapi) as T;
}

/** Both documents, as text: only the compiler of the build reads the types of answers and messages into them. */
export async function builtDocuments(): Promise<{ readonly openapi: string; readonly asyncapi: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'mortise-document-'));
  const program = join(ROOT, 'dist', 'tools', 'sdk', 'main.js');
  try {
    await run(process.execPath, [program, directory, '--documents'], { timeout: 90_000 });
    const read = (name: string): Promise<string> => readFile(join(directory, `${name}.json`), 'utf8');
    return { openapi: await read('openapi'), asyncapi: await read('asyncapi') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
