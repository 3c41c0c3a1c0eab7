import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  crowdedFolders,
  misnamedClasses,
  repeatedExports,
  repeatedStandings,
  type SourceFile,
  sourceFiles,
  vagueComments,
} from '../support/source-rules.js';

/** Each rule finds nothing in the tree, and finds the violation that is planted beside it. */
describe('names and folders', () => {
  let files: readonly SourceFile[] = [];

  beforeAll(async () => {
    files = await sourceFiles();
  });

  const withPlanted = (path: string, text: string): SourceFile[] => [...files, { path, text }];

  it('every class ends in a known word and gives its file the name', () => {
    expect(files.length).toBeGreaterThan(300);
    expect(misnamedClasses(files)).toEqual([]);
  });

  it('finds a class of a private word, and one in a file of another name', () => {
    expect(misnamedClasses(withPlanted('src/features/users/keeper.ts', 'export class UserKeeper {}'))).toEqual([
      'src/features/users/keeper.ts: UserKeeper ends in no known word',
      'src/features/users/keeper.ts: UserKeeper stands in a file of another name',
    ]);
    expect(misnamedClasses(withPlanted('src/features/users/other.service.ts', 'export class UserService {}'))).toEqual([
      'src/features/users/other.service.ts: UserService stands in a file of another name',
    ]);
  });

  it('no folder holds more than 20 files', () => {
    expect(crowdedFolders(files)).toEqual([]);
  });

  it('finds a folder of 21 files', () => {
    const planted = Array.from({ length: 21 }, (_, n) => ({ path: `src/features/planted/${String(n)}.ts`, text: '' }));
    expect(crowdedFolders([...files, ...planted])).toEqual(['src/features/planted: 21 files']);
  });

  it('no comment speaks of nobody, somebody or whoever', async () => {
    const all = await Promise.all(['src', 'tools', 'bench', 'test'].map((root) => sourceFiles(root)));
    // This rule has to name the words.
    const others = all.flat().filter(({ path }) => !path.startsWith('test/support/source-rules'));
    expect(vagueComments(others)).toEqual([]);
  });

  it('finds such a comment', () => {
    const text = "const mail = 'Somebody tried';\n/** Whoever is blocked is nobody. */\n";
    expect(vagueComments([{ path: 'a.ts', text }])).toEqual(['a.ts: /** Whoever is blocked is nobody. */']);
  });

  it('what an account that can act is stands in one place', () => {
    expect(repeatedStandings(files)).toEqual([]);
    const text = "const LIVE = 'u.deleted_at IS NULL AND u.blocked_at IS NULL';";
    expect(repeatedStandings([{ path: 'src/features/a/a.repository.ts', text }])).toHaveLength(1);
  });

  it('no two files export the same name', () => {
    expect(repeatedExports(files)).toEqual([]);
  });

  it('finds a name that is exported twice', () => {
    const planted = withPlanted('src/features/users/planted.ts', 'export type AppConfig = string;');
    expect(repeatedExports(planted)).toEqual(['AppConfig: src/config/app-config.ts, src/features/users/planted.ts']);
  });
});
