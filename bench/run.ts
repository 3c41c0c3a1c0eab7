/** `npm run bench -- <job>...`: each job measures ours and its baseline in turns, in one session. Without a job: all. */
import { runCommand } from '../tools/stack/command.js';
import { Failure } from '../tools/stack/failure.js';
import { analytics } from './jobs/analytics.js';
import { batching } from './jobs/batching.js';
import { boot } from './jobs/boot.js';
import { command } from './jobs/command.js';
import { csvExport } from './jobs/csv-export.js';
import { devices } from './jobs/devices.js';
import { eventIngest } from './jobs/event-ingest.js';
import { fanOut } from './jobs/fan-out.js';
import { conditional } from './jobs/conditional.js';
import { growth } from './jobs/growth.js';
import { list } from './jobs/list.js';
import { login } from './jobs/login.js';
import { mix } from './jobs/mix.js';
import { notifications } from './jobs/notifications.js';
import { nullRequest } from './jobs/null.js';
import { refresh } from './jobs/refresh.js';
import { session } from './jobs/session.js';
import { sockets } from './jobs/sockets.js';
import { users } from './jobs/users.js';
import { validation } from './jobs/validation.js';
import { writes } from './jobs/writes.js';
import { printEnvironment } from './support/environment.js';
import { type Services, startServices } from './support/services.js';

const JOBS = new Map<string, (services: Services) => Promise<void>>([
  ['null', nullRequest],
  ['boot', boot],
  ['list', list],
  ['growth', growth],
  ['conditional', conditional],
  ['session', session],
  ['writes', writes],
  ['login', login],
  ['refresh', refresh],
  ['users', users],
  ['validation', validation],
  ['sockets', sockets],
  ['fan-out', fanOut],
  ['command', command],
  ['mix', mix],
  ['devices', devices],
  ['batching', batching],
  ['event-ingest', eventIngest],
  ['csv-export', csvExport],
  ['analytics', analytics],
  ['notifications', notifications],
]);

await runCommand(async (supervisor) => {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : [...JOBS.keys()];
  const jobs = wanted.map((name) => {
    const job = JOBS.get(name);
    if (!job) {
      throw new Failure(`There is no job "${name}": choose from ${[...JOBS.keys()].join(', ')}.`);
    }
    return job;
  });
  const services = await startServices(supervisor);
  await printEnvironment(services);
  for (const job of jobs) {
    await job(services);
  }
  return 0;
});
