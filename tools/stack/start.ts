/**
 * `npm start`: everything a newcomer needs to open a door, from nothing but this clone. It prints its progress and where everything is;
 * logs go to files, unless LOG_LEVEL asks for that of the application.
 */
import { readCommandLine } from '../../src/config/command-line.js';
import { runCommand } from './command.js';
import { firstEnd, startEverything, USAGE } from './everything.js';
import { printError } from './steps.js';

readCommandLine(USAGE);

await runCommand(
  async (supervisor, stopped) => {
    const { services, application } = await startEverything(supervisor, process.env.LOG_LEVEL ? 'terminal' : 'file');
    const end = await firstEnd([...services.servers, application]);
    if (!stopped.aborted) {
      printError(end);
    }
    return 1;
  },
  { stoppedMeansSuccess: true },
);
