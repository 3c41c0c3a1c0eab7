/** `npm run check`: what can be told without services, before every commit. */
import { runCommand } from '../stack/command.js';
import { printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { staticChecks, twoAtATime } from './static-checks.js';

await runCommand(async (supervisor, stopped) => {
  const tests = async (): Promise<boolean> => (await runJest(supervisor, ['--selectProjects', 'unit'])) === 0;
  const failed = await twoAtATime([...staticChecks(stopped), { title: 'unit and edge tests', run: tests }]);
  if (failed.length > 0) {
    printError(`Failed: ${failed.join(', ')}. What was found is above.`);
  }
  return failed.length === 0 ? 0 : 1;
});
