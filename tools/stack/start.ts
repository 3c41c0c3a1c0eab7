/** `npm start`: everything a newcomer needs to open a door, from nothing but this clone. */
import { runCommand } from './command.js';
import { firstEnd, startEverything } from './everything.js';
import { printError } from './steps.js';

await runCommand(
  async (supervisor, stopped) => {
    const { services, application } = await startEverything(supervisor);
    const end = await firstEnd([...services.servers, application]);
    if (!stopped.aborted) {
      printError(end);
    }
    return 1;
  },
  { stoppedMeansSuccess: true },
);
