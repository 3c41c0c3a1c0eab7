/** `npm run sdk`: a TypeScript client for the API, made from its OpenAPI document, into `sdk/` or the named folder. */
import 'reflect-metadata';
import { resolve } from 'node:path';
import { describeFailure } from '../stack/failure.js';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';
import { readApiDocument } from './document.js';
import { generateSdk } from './generate.js';

try {
  const directory = resolve(ROOT, process.argv[2] ?? 'sdk');
  await generateSdk(await readApiDocument(), directory);
  print(`The client is in ${directory}; import it from dist/client.js.`);
  process.exit(0);
} catch (error) {
  printError(describeFailure(error));
  process.exit(1);
}
