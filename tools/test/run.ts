/** `npm test`: every check and every test on services of its own. `npm test -- <args>`: Jest alone, with these. */
import { runCommand } from '../stack/command.js';
import { printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { startTestServices } from './services.js';
import { runStaticChecks } from './static-checks.js';

const args = process.argv.slice(2);

await runCommand(async (supervisor, stopped) => {
  if (args.length > 0) {
    return runJest(supervisor, args, await startTestServices(supervisor));
  }
  if (!(await runStaticChecks(stopped))) {
    printError('The checks above failed; the tests were not run.');
    return 1;
  }
  return runJest(supervisor, ['--coverage'], await startTestServices(supervisor));
});
