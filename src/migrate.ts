import { print, runProgram } from './apps/program.js';
import { loadDatabaseUrl } from './config/load-config.js';
import { migrateAloud } from './platform/prisma/migrations/migrate.js';

/** `node dist/src/migrate.js`: what `npm run db:migrate` does, where only the image of the application is at hand. */
await runProgram(() => migrateAloud(loadDatabaseUrl(process.env), print));
