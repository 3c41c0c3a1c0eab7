/** `npm test`: every check and every test on services of its own. `npm test -- <args>`: Jest alone, with these. */
import { runCommand } from '../stack/command.js';
import { printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { startTestServices } from './services.js';
import { staticChecks, twoAtATime } from './static-checks.js';

const args = process.argv.slice(2);

await runCommand(async (supervisor, stopped) => {
  if (args.length > 0) {
    return runJest(supervisor, args, await startTestServices(supervisor));
  }
  // The services start beside the checks: they wait for a download more than they compute.
  const services = startTestServices(supervisor);
  services.catch(() => undefined);
  const failed = await twoAtATime(staticChecks(stopped));
  if (failed.length > 0) {
    printError(`Failed: ${failed.join(', ')}. The tests were not run.`);
    return 1;
  }
  return runJest(supervisor, ['--coverage'], await services);
});
