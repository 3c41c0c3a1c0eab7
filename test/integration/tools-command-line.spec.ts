/**
 * What the programs answer to `--help`, and to what they do not know: before anything is done, whatever the database.
 * Seen to fail: `db:adopt -- --help` adopted the database of the clone, and ended its sessions.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ROOT } from '../../tools/stack/paths.js';

const PROGRAMS = [
  'src/migrate.js',
  'src/adopt.js',
  'src/admin-create.js',
  'tools/stack/start.js',
  'tools/stack/dev.js',
  'tools/db/migrate-command.js',
  'tools/db/adopt-command.js',
  'tools/admin-create.js',
  'tools/sdk/main.js',
  'tools/test/promises.js',
];

interface Outcome {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, arg: string): Promise<Outcome> {
  // Nobody listens there: a program that begins its work says so.
  const env = { ...process.env, DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/nothing' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'dist', program), arg],
      { env, timeout: 50_000 },
      (error, stdout, stderr) => {
        resolve({ failed: error !== null, stdout, stderr });
      },
    );
  });
}

it.each(PROGRAMS)('%s says what it does and takes, and does nothing', async (program) => {
  const [help, unknown] = await Promise.all([run(program, '--help'), run(program, '--frobnicate')]);
  expect(help).toEqual({ failed: false, stdout: expect.stringMatching(/^[A-Zn].{30}/), stderr: '' });
  expect(unknown).toEqual({
    failed: true,
    stdout: '',
    stderr: expect.stringMatching(/^Unknown option '--frobnicate'/),
  });
  expect(unknown.stderr).not.toMatch(/\n {4}at /);
  expect(unknown.stderr).toContain(help.stdout);
});
