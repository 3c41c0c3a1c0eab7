import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from './failure.js';
import { stateFolder } from './paths.js';

const run = promisify(execFile);

/** Where packages put programs. Chromium's `usr/bin` holds a script that looks for the browser in the system itself. */
const PROGRAM_FOLDERS = ['usr/lib/chromium', 'usr/bin', 'usr/sbin'];

/** A server that Debian packages and npm does not. */
export interface DebianTool {
  readonly name: string;
  /** Package that brings it, with whatever that depends on and the system lacks. */
  readonly package: string;
  /** Its executables, under any name that serves, where a package puts them. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** Libraries that a program is started with, by their paths below the system's folder of libraries. */
  readonly libraries?: Readonly<Record<string, string>>;
  /** What to do where nothing can be fetched. */
  readonly advice: string;
}

/** Paths of a tool's executables and libraries by their keys in `programs` and `libraries`. */
export type ToolPaths = Readonly<Record<string, string>>;

/**
 * Finds a tool on PATH, or in the cache of earlier downloads, or downloads it from the distribution's own archive
 * and unpacks it into the cache. Nothing is installed: the system stays as it is, and no privileges are needed.
 */
export async function provideTool(tool: DebianTool): Promise<ToolPaths> {
  const installed = onPath(tool);
  if (installed) {
    return installed;
  }
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Failure(`${tool.name} was not found on PATH. ${tool.advice}`);
  }
  const parts = Object.keys({ ...tool.programs, ...tool.libraries });
  const folder = join(await cacheFolder(), [tool.package, ...parts].join('-'));
  if (!existsSync(folder)) {
    await fetchInto(folder, tool);
  }
  return { ...wrappersIn(folder, tool), ...librariesIn(join(folder, 'usr', 'lib'), tool) };
}

function onPath(tool: DebianTool): ToolPaths | undefined {
  // Servers live in sbin, which an ordinary user's PATH does not name.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin'];
  const programs = findAll(tool, (name) =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path)),
  );
  const libraries = librariesIn('/usr/lib', tool);
  return programs && libraries && { ...programs, ...libraries };
}

/** Libraries lie in the folder of one architecture, whose name differs from machine to machine. */
function librariesIn(root: string, tool: DebianTool): ToolPaths | undefined {
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  const found = Object.entries(tool.libraries ?? {}).map(
    ([key, name]) =>
      [key, [root, ...folders].map((folder) => join(folder, name)).find((path) => existsSync(path))] as const,
  );
  return found.every(([, path]) => path) ? (Object.fromEntries(found) as ToolPaths) : undefined;
}

function findAll(tool: DebianTool, find: (name: string) => string | undefined): ToolPaths | undefined {
  const found = Object.entries(tool.programs).map(([key, names]) => [key, names.map(find).find(Boolean)] as const);
  return found.every(([, path]) => path) ? (Object.fromEntries(found) as ToolPaths) : undefined;
}

/** Shared by the clones of one user; inside the clone when there is no home to write to. */
async function cacheFolder(): Promise<string> {
  const release = readFileSync('/etc/os-release', 'utf8');
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? 'unknown';
  const distribution = `${field('ID')}-${field('VERSION_ID')}-${process.arch}`;
  const shared = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mortise', distribution);
  try {
    await mkdir(shared, { recursive: true, mode: 0o700 });
    await access(shared, constants.W_OK);
    return shared;
  } catch {
    return stateFolder('cache', distribution);
  }
}

async function fetchInto(folder: string, tool: DebianTool): Promise<void> {
  const aside = await mkdtemp(`${folder}-`);
  try {
    await download(tool, aside).catch(async () => {
      // No package lists, or stale ones: fetch lists of our own, which needs no privileges either.
      await download(tool, aside, await freshLists(join(folder, '..', 'apt')));
    });
    for (const file of (await readdir(aside)).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(aside, file), aside]);
      await rm(join(aside, file));
    }
    await writeWrappers(aside, folder, tool);
    await rename(aside, folder).catch((error: unknown) => {
      // Another clone was faster: its copy is as good.
      if (!existsSync(folder)) {
        throw error;
      }
    });
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1) ?? '';
    throw new Failure(`${tool.name} is missing and could not be fetched (${reason}). ${tool.advice}`);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Downloads the package and those it needs here; APT's own simulation says which. */
async function download(tool: DebianTool, folder: string, lists: readonly string[] = []): Promise<void> {
  // As root APT would fetch as user _apt, which cannot enter a private folder.
  const options = ['-q', '-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=true', ...lists];
  const simulate = ['install', '--simulate', '--no-install-recommends', ...options, tool.package];
  const { stdout } = await run('apt-get', simulate, { env: { ...process.env, LC_ALL: 'C' }, timeout: 60_000 });
  const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  await run('apt-get', ['download', ...options, ...packages], { cwd: folder, timeout: 120_000 });
}

async function freshLists(folder: string): Promise<readonly string[]> {
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  const options = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
  // One broken source among many is no reason to give up: the download decides.
  await run('apt-get', ['update', '-q', '-o', 'APT::Sandbox::User=root', ...options], { timeout: 180_000 }).catch(
    () => undefined,
  );
  return options;
}

/** A script per program that lets it find the libraries unpacked beside it. */
async function writeWrappers(aside: string, folder: string, tool: DebianTool): Promise<void> {
  const programs = findAll(tool, (name) =>
    PROGRAM_FOLDERS.map((bin) => join(bin, name)).find((path) => existsSync(join(aside, path))),
  );
  if (!programs || !librariesIn(join(aside, 'usr', 'lib'), tool)) {
    throw new Error(`the package ${tool.package} does not hold what was expected`);
  }
  const root = join(aside, 'usr', 'lib');
  const libraries = existsSync(root) ? (await readdir(root)).filter((name) => name.includes('-linux-')) : [];
  const path = libraries
    .flatMap((name) => [join(folder, 'usr', 'lib', name), join(folder, 'usr', 'lib', name, 'pulseaudio')])
    .join(':');
  await mkdir(join(aside, 'wrappers'));
  for (const [key, program] of Object.entries(programs)) {
    const script = `#!/bin/sh\nLD_LIBRARY_PATH='${path}' exec '${join(folder, program)}' "$@"\n`;
    await writeFile(join(aside, 'wrappers', key), script);
    await chmod(join(aside, 'wrappers', key), 0o755);
  }
}

function wrappersIn(folder: string, tool: DebianTool): ToolPaths {
  return Object.fromEntries(Object.keys(tool.programs).map((key) => [key, join(folder, 'wrappers', key)]));
}
