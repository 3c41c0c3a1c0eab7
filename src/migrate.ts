import { print, runProgram } from './apps/program.js';
import { readCommandLine } from './config/command-line.js';
import { loadDatabaseUrl } from './config/load-config.js';
import { migrateAloud } from './platform/prisma/migrations/migrate.js';

/** `node dist/src/migrate.js`: what `npm run db:migrate` does, where only the image of the application is at hand. */
readCommandLine('Brings the database of DATABASE_URL up to date. Harmless to repeat. It takes no options.');

await runProgram(() => migrateAloud(loadDatabaseUrl(process.env), print));
