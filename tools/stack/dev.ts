/** `npm run dev`: what `npm start` runs, with the application built and started anew after each change to its sources. */
import { globSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../../src/config/command-line.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { startApplication } from './application.js';
import { runCommand } from './command.js';
import { type Everything, firstEnd, startEverything, USAGE } from './everything.js';
import { ROOT } from './paths.js';
import { Restarter } from './restarter.js';
import { print, printError } from './steps.js';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';
import { type CompilationListener, watchBuild } from './watch-build.js';

/** Not `dist`: other commands take that for the build of the sources as they were when it was made. */
const OUTPUT = 'dist-dev';
/** Editors write a file in several steps. */
const SETTLED_AFTER_MS = 200;

readCommandLine(USAGE);

await runCommand(
  async (supervisor, stopped) => {
    const began = Date.now() - process.uptime() * 1_000;
    const everything = await startEverything(supervisor, 'terminal');
    const restarter = restarterOf(supervisor, stopped, everything);
    const compiler = await watchBuild(supervisor, {
      root: ROOT,
      output: OUTPUT,
      onCompiled: restartAfter(restarter, began),
    });
    const watcher = watchSchema(supervisor);
    const end = await firstEnd([...everything.services.servers, compiler]);
    watcher.close();
    if (!stopped.aborted) {
      printError(end);
    }
    return 1;
  },
  { stoppedMeansSuccess: true },
);

function restarterOf(supervisor: Supervisor, stopped: AbortSignal, everything: Everything): Restarter {
  const { settings, services, application } = everything;
  const start = async (): Promise<SupervisedProcess> => {
    await migrate(services.databaseUrl);
    return startApplication(supervisor, settings, services, { build: OUTPUT, log: 'terminal' });
  };
  return new Restarter(start, stopped, application);
}

function restartAfter(restarter: Restarter, began: number): CompilationListener {
  let compiled = false;
  return (errors) => {
    const isFirst = !compiled;
    compiled = true;
    if (errors !== undefined) {
      printError(`${errors}\n  Not built: the application goes on as it was.`);
    } else if (isFirst && !sourcesChangedSince(began)) {
      print('  Watching src/ and prisma/schema');
    } else {
      print('  Built; restarting the application');
      void restarter.restart();
    }
  };
}

/** Whether what runs is older than its sources, because they changed while everything started. */
function sourcesChangedSince(time: number): boolean {
  return globSync('src/**/*.ts', { cwd: ROOT, exclude: ['src/generated'] }).some(
    (file) => statSync(join(ROOT, file)).mtimeMs > time,
  );
}

/** A change of the schema makes the database client anew, which is a change of the sources like any other. */
function watchSchema(supervisor: Supervisor): { close(): void } {
  let settling: NodeJS.Timeout | undefined;
  return watch(join(ROOT, 'prisma', 'schema'), { recursive: true }, () => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      supervisor.start({
        name: 'The generator',
        command: process.execPath,
        args: [join(ROOT, 'tools', 'launch.mjs'), 'generate'],
        cwd: ROOT,
        output: 'inherit',
      });
    }, SETTLED_AFTER_MS);
  });
}
