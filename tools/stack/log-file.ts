import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { stateFolder } from './paths.js';

/** Where the logs of the last start are, as a person in the clone names it. */
export const LOGS = join('.mortise', 'logs');

/** Takes what a process prints into a file of its name, begun anew. Its reader is its owner alone: mails with links are in it. */
export async function logFile(name: string): Promise<(chunk: Buffer) => void> {
  const file = createWriteStream(join(await stateFolder('logs'), `${name}.log`), { mode: 0o600 });
  // A full disk is no reason to stop what is logged.
  file.on('error', () => undefined);
  return (chunk) => file.write(chunk);
}
