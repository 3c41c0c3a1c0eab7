/** `npm run test:promise -- P-03`: the tests of one promise; with PROMISE_SCALE=full as often as it promises. */
import { runCommand } from '../stack/command.js';
import { printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { promiseSpecs } from './promise-specs.js';
import { startTestServices } from './services.js';

const [promise = '', ...args] = process.argv.slice(2);

await runCommand(async (supervisor) => {
  const specs = promiseSpecs();
  const files = specs.get(promise);
  if (!files) {
    printError(`No test carries the promise "${promise}". Known: ${[...specs.keys()].sort().join(', ')}.`);
    return 1;
  }
  const selection = ['--runInBand', '--runTestsByPath', ...files, '--testNamePattern', `${promise}\\b`];
  return runJest(supervisor, [...selection, ...args], await startTestServices(supervisor));
});
