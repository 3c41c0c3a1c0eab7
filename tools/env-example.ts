import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { renderEnvExample } from '../src/config/env-example.js';
import { RateLimitRegistry } from '../src/platform/rate-limit/rate-limit-registry.js';
import { readFromApplication } from './built-application.js';

const limits = await readFromApplication((app) => app.get(RateLimitRegistry).all());
await writeFile('.env.example', renderEnvExample(limits));
process.stdout.write('.env.example is up to date.\n');
process.exit(0);
