import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** One source file, as the rules about names and folders see it. */
export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Words by which a class says what it is: Nest's own, and those that every backend developer knows. */
const SUFFIXES = (
  'Service Repository Controller Gateway Guard Interceptor Pipe Filter Module Processor Sweeper Publisher Consumer ' +
  'Cache Resolver Verifier Factory Store Error Dto ' +
  'Adapter Authenticator Authorizer Batcher Broker Buffer Bus Client Clients Clock Config Context Database Deserializer ' +
  'Detector Feed Hasher Job Lease Limiter Lock Log Logger Loop Mailer Messages Metrics Mutex Outbox Payload Pool Queue ' +
  'Quota Reader Registry Relay Scheduler Semaphore Server Storage Stream Transport Transactions Waiters Window Writer'
).split(' ');
const MAX_FILES_IN_FOLDER = 20;
/** Words that hide who does what: a comment names the caller, the process or the role instead. */
const VAGUE = /\b(nobody|somebody|whoever|everybody|anybody|lest)\b/i;

/** How SQL and TypeScript say that an account is not blocked. */
const STANDING = /blocked_at IS NULL|blockedAt === null/;

/** Every TypeScript file of `src` but specs and what is generated. */
export async function sourceFiles(root = 'src'): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('generated'));
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })));
}

/** Exported classes that end in no known word, or stand in a file of another name. */
export function misnamedClasses(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    exportedClasses(text).flatMap((name) => [
      ...(SUFFIXES.some((suffix) => name.endsWith(suffix)) ? [] : [`${path}: ${name} ends in no known word`]),
      ...(isNamedAs(name, path) ? [] : [`${path}: ${name} stands in a file of another name`]),
    ]),
  );
}

/** Folders with more files than a reader takes in at one sitting. */
export function crowdedFolders(files: readonly SourceFile[]): string[] {
  const counts = Map.groupBy(files, ({ path }) => dirname(path));
  return [...counts]
    .filter(([, inside]) => inside.length > MAX_FILES_IN_FOLDER)
    .map(([folder, inside]) => `${folder}: ${String(inside.length)} files`);
}

/** Names that two files export: a search for one finds the other. */
export function repeatedExports(files: readonly SourceFile[]): string[] {
  const owners = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const name of exportedNames(text)) {
      owners.set(name, (owners.get(name) ?? new Set()).add(path));
    }
  }
  return [...owners]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].sort().join(', ')}`);
}

/** Conditions on accounts that say once more what `users/account-standing.types.ts` says. */
export function repeatedStandings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => STANDING.test(text) && !path.endsWith('users/account-standing.types.ts'))
    .map(({ path }) => `${path}: take CAN_ACT, canAct or canActSql`);
}

/** Comments that do not say who or what they speak of. */
export function vagueComments(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/gm)]
      .flatMap(([comment]) => comment.split('\n'))
      .filter((line) => VAGUE.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
}

function exportedClasses(text: string): string[] {
  return [...text.matchAll(/^export (?:abstract )?class (\w+)/gm)].map(([, name = '']) => name);
}

/** Declarations, and what is listed in braces; a re-export from another module is that module's name. */
function exportedNames(text: string): string[] {
  const declared = text.matchAll(
    /^export (?:declare )?(?:abstract )?(?:async )?(?:class|const|function\*?|interface|type) (\w+)/gm,
  );
  return [...declared].map(([, name = '']) => name);
}

/** Errors, DTOs and payloads come several to a file; every other class gives its file the name. */
function isNamedAs(name: string, path: string): boolean {
  const folded = (text: string): string => text.replaceAll(/[.-]/g, '').toLowerCase();
  return /(Error|Dto|Payload)$/.test(name) || folded(basename(path, '.ts')) === folded(name);
}
