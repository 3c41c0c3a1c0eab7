import type { AppConfig } from '../config/app-config.js';
import { type AdoptionReport, AdoptionService } from '../platform/adoption/adoption.service.js';
import { createApp } from './bootstrap.js';

export const ADOPTION = `Makes a restored database the one to go on with: its event log begins anew, and sessions, token keys, codes and mailed links
of before end. To be run after a restore, with every process of Mortise stopped; harmless to repeat. It takes no options.`;

/**
 * Adopts the database of `config` after a restore. The application is only built for it: it listens on nothing, none of its
 * loops runs, and Redis need not be there.
 * @throws DatabaseInUseError while processes of the application are connected
 */
export async function adoptDatabase(config: AppConfig): Promise<AdoptionReport> {
  const app = await createApp(config);
  try {
    return await app.get(AdoptionService).adopt();
  } finally {
    await app.close();
  }
}

/** What the operator is told, one line each. */
export function describeAdoption({ generation, changed }: AdoptionReport): string[] {
  const counts = Object.entries(changed).map(([name, count]) => `  ${name.replaceAll('_', ' ')}: ${String(count)}`);
  return [`The database is adopted: its event log is generation ${generation} from now on.`, ...counts];
}
