import { randomUUID } from 'node:crypto';
import type { InsertedAccount } from './accounts.fixture.js';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';

const SCHEDULE = { type: 'usage_report', format: 'csv', every: 'daily', at: '07:00' };

/** An export that no worker takes up: it waits, or has ended as `state` says. */
async function exportOf(factory: RequestFactory, state = 'PENDING'): Promise<{ owner: InsertedAccount; path: string }> {
  const owner = await factory.account();
  const id = randomUUID();
  await factory.execute(
    `INSERT INTO exports (id, user_id, type, format, request, state, next_attempt_at)
     VALUES ($1, $2, 'my_data', 'csv', '{"timeZone": "UTC"}', $3, now() + interval '1 hour')`,
    [id, owner.id, state],
  );
  return { owner, path: `/exports/${id}` };
}

/** Requests that change something about exports. */
export const EXPORT_CHANGES: Readonly<Record<string, (factory: RequestFactory) => Promise<ChangingRequest>>> = {
  'POST /exports': async (w) => ({
    path: '/exports',
    token: (await w.account()).accessToken,
    body: { type: 'my_data', format: 'csv' },
  }),
  'POST /exports/:exportId/cancel': async (w) => {
    const { owner, path } = await exportOf(w);
    return { path: `${path}/cancel`, token: owner.accessToken };
  },
  'POST /exports/:exportId/link': async (w) => {
    const { owner, path } = await exportOf(w, 'COMPLETED');
    return { path: `${path}/link`, token: owner.accessToken };
  },
  'DELETE /exports/:exportId': async (w) => {
    const { owner, path } = await exportOf(w);
    return { path, token: owner.accessToken };
  },
  'POST /export-schedules': async (w) => ({
    path: '/export-schedules',
    token: (await w.account()).accessToken,
    body: SCHEDULE,
  }),
  'DELETE /export-schedules/:scheduleId': async (w) => {
    const owner = await w.account();
    const id = await w.create(owner, '/export-schedules', SCHEDULE);
    return { path: `/export-schedules/${id}`, token: owner.accessToken };
  },
};

/** Requests that change something about work that was given up: an export stands for it. */
export const JOB_CHANGES: typeof EXPORT_CHANGES = {
  'POST /admin/queues/:queue/dead-letters/:deadLetter/replay': async (w) => deadLetter(w, '/replay'),
  'DELETE /admin/queues/:queue/dead-letters/:deadLetter': async (w) => deadLetter(w),
};

async function deadLetter(factory: RequestFactory, rest = ''): Promise<ChangingRequest> {
  const { path } = await exportOf(factory, 'FAILED');
  return {
    path: `/admin/queues/exports/dead-letters/${path.split('/')[2] ?? ''}${rest}`,
    token: factory.admin.accessToken,
  };
}
