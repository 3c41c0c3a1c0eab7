import { start } from './apps/bootstrap.js';
import { loadConfig } from './config/load-config.js';

try {
  await start(loadConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
