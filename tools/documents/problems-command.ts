import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { readFromApplication } from '../built-application.js';
import { renderProblems } from './problems.js';

await writeFile('docs/problems.md', await readFromApplication(renderProblems));
process.stdout.write('docs/problems.md is up to date.\n');
process.exit(0);
