/**
 * `npm run sdk`: a TypeScript client for the API, made from its documents, into `sdk/` or the named folder, with a collection for
 * Postman. `--documents` writes the documents alone.
 */
import 'reflect-metadata';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readCommandLine } from '../../src/config/command-line.js';
import { describeFailure } from '../stack/failure.js';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';
import { type Documents, readDocuments } from './document.js';

const USAGE = `Makes a TypeScript client from the documents of the API, and a collection for Postman.

  npm run sdk -- [folder] [--documents]

  folder        where it is written (sdk)
  --documents   writes openapi.json and asyncapi.json alone`;

const { values, positionals } = readCommandLine(USAGE, {
  allowPositionals: true,
  options: { documents: { type: 'boolean' } },
});

try {
  const directory = resolve(ROOT, positionals[0] ?? 'sdk');
  const documents = await readDocuments();
  if (values.documents !== true) {
    await writeSdk(documents, directory);
  }
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'openapi.json'), JSON.stringify(documents.http, null, 2));
  await writeFile(join(directory, 'asyncapi.json'), JSON.stringify(documents.sockets, null, 2));
  print(`Written to ${directory}${values.documents === true ? '' : ': a client, and postman_collection.json'}.`);
  process.exit(0);
} catch (error) {
  printError(describeFailure(error));
  process.exit(1);
}

/** What it takes is loaded only where it is wanted: the compiler and the converter are large. */
async function writeSdk(documents: Documents, directory: string): Promise<void> {
  const [{ generateSdk }, { postmanCollection }] = await Promise.all([import('./generate.js'), import('./postman.js')]);
  await generateSdk(documents, directory);
  const collection = await postmanCollection(documents.http);
  await writeFile(join(directory, 'postman_collection.json'), JSON.stringify(collection, null, 2));
}
