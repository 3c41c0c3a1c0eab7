import { randomUUID } from 'node:crypto';
import type { InsertedAccount } from './accounts.fixture.js';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';

const WEBHOOK = { url: 'https://hooks.example.com/mortise', eventTypes: ['low_battery'] };

/** A webhook that is told of nothing. */
async function webhookOf(factory: RequestFactory): Promise<{ owner: InsertedAccount; id: string; path: string }> {
  const owner = await factory.account();
  const id = await factory.create(owner, '/webhooks', WEBHOOK);
  return { owner, id, path: `/webhooks/${id}` };
}

/** Requests that change something about webhooks. */
export const WEBHOOK_CHANGES: Readonly<Record<string, (factory: RequestFactory) => Promise<ChangingRequest>>> = {
  'POST /webhooks': async (w) => ({ path: '/webhooks', token: (await w.account()).accessToken, body: WEBHOOK }),
  'PATCH /webhooks/:webhookId': async (w) => {
    const { owner, path } = await webhookOf(w);
    return { path, token: owner.accessToken, body: { description: 'Front desk' } };
  },
  'DELETE /webhooks/:webhookId': async (w) => {
    const { owner, path } = await webhookOf(w);
    return { path, token: owner.accessToken };
  },
  'POST /webhooks/:webhookId/rotate-secret': async (w) => {
    const { owner, path } = await webhookOf(w);
    return { path: `${path}/rotate-secret`, token: owner.accessToken, body: { overlapHours: 1 } };
  },
  'POST /webhooks/:webhookId/test': async (w) => {
    const { owner, path } = await webhookOf(w);
    return { path: `${path}/test`, token: owner.accessToken };
  },
  'POST /webhooks/:webhookId/deliveries/:deliveryId/replay': async (w) => {
    const { owner, id, path } = await webhookOf(w);
    const delivery = randomUUID();
    await w.execute(
      `INSERT INTO webhook_deliveries (id, endpoint_id, device_id, sequence, type, event_user_id, occurred_at, body, state,
         finished_at)
       VALUES ($1, $2, '00000000-0000-0000-0000-000000000000', 1, 'low_battery', $3, now(), '{}', 'FAILED', now())`,
      [delivery, id, owner.id],
    );
    return { path: `${path}/deliveries/${delivery}/replay`, token: owner.accessToken };
  },
};
