/** `npm run check`: what can be told without services, before every commit. */
import { runCommand } from '../stack/command.js';
import { runJest } from './jest.js';
import { runStaticChecks } from './static-checks.js';

await runCommand(async (supervisor, stopped) => {
  const clean = await runStaticChecks(stopped);
  const jest = await runJest(supervisor, ['--selectProjects', 'unit']);
  return clean ? jest : 1;
});
