import { writeFile } from 'node:fs/promises';
import { renderEnvExample } from '../src/config/env-example.js';

await writeFile('.env.example', renderEnvExample());
process.stdout.write('.env.example is up to date.\n');
