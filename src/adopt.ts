import { adoptDatabase, describeAdoption } from './apps/adoption.js';
import { loadConfig } from './config/load-config.js';

/** `node dist/src/adopt.js`: what `npm run db:adopt` does, where only the image of the application is at hand. */
try {
  const report = await adoptDatabase(loadConfig({ LOG_LEVEL: 'error', ...process.env }));
  process.stdout.write(`${describeAdoption(report).join('\n')}\n`);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
