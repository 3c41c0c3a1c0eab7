// Types and lint of the whole tree in one process. Either spends most of its time on the types, and they are the same:
// `npm run types` and `npm run lint` find what this finds, and together take half as long again.
import { join } from 'node:path';
import { ESLint } from 'eslint';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');
const format = { getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };

const program = openProgram();
const typed = reportErrors(ts.getPreEmitDiagnostics(program));
const linted = await lint();
process.exitCode = typed && linted ? 0 : 1;

/** What `tsc --noEmit` would look at. */
function openProgram() {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => reportErrors([diagnostic]) };
  const parsed = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), {}, host);
  return ts.createProgram({
    rootNames: parsed.fileNames,
    options: parsed.options,
    configFileParsingDiagnostics: parsed.errors,
  });
}

function reportErrors(diagnostics) {
  process.stdout.write(ts.formatDiagnostics(diagnostics, format));
  return diagnostics.length === 0;
}

/** What `eslint . --max-warnings 0` would find, with the program from above in place of one of its own. */
async function lint() {
  const parserOptions = { programs: [program], projectService: false };
  const eslint = new ESLint({ cwd: root, overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions } } });
  const results = await eslint.lintFiles(['.']);
  const formatter = await eslint.loadFormatter('stylish');
  process.stdout.write(await formatter.format(results));
  return results.every(({ errorCount, warningCount }) => errorCount + warningCount === 0);
}
