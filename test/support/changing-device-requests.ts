import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type InsertedAccount, uniqueEmail } from './accounts.fixture.js';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';

type Preparation = (w: RequestFactory) => Promise<ChangingRequest>;

const CODE = '7K2M-9QXT-0B4H-VWEN-3J8D';
const by = (who: Pick<InsertedAccount, 'accessToken'>, path: string, body?: unknown): ChangingRequest => ({
  path,
  token: who.accessToken,
  ...(body === undefined ? {} : { body }),
});
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** A thing in the inventory, with a code that is known. */
async function provisioned(w: RequestFactory): Promise<{ id: string; code: string }> {
  const [id, letters] = [randomUUID(), randomBytes(20)];
  const code = Array.from(letters, (byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('');
  const grouped = (code.match(/.{4}/g) ?? []).join('-');
  await w.rows(
    'INSERT INTO provisioned_devices (id, hardware_id, claim_code_hash, provisioned_by) VALUES ($1, $2, $3, $4)',
    [id, randomUUID(), hashOf(grouped), w.admin.id],
  );
  return { id, code: grouped };
}

/** An offer whose token is known, though it was mailed. */
async function offered(
  w: RequestFactory,
): Promise<{ owner: InsertedAccount; heir: InsertedAccount; id: string; path: string; token: string }> {
  const [{ owner, id }, heir] = [await w.device(), await w.account()];
  const transferId = await w.create(owner, `/devices/${id}/transfer`, { email: heir.email });
  const token = randomBytes(32).toString('base64url');
  await w.rows('UPDATE device_transfers SET token_hash = $2 WHERE id = $1', [transferId, hashOf(token)]);
  return { owner, heir, id, path: `/devices/transfers/${transferId}`, token };
}

const ofDevice =
  (rest: string, body?: unknown): Preparation =>
  async (w) => {
    const { owner, id } = await w.device();
    return by(owner, `/devices/${id}${rest}`, body);
  };

/** Of devices that people claim, activate and hand on. */
export const DEVICE_REQUESTS: Readonly<Record<string, Preparation>> = {
  'POST /devices/provision': (w) =>
    Promise.resolve(by(w.admin, '/devices/provision', { devices: [{ hardwareId: randomUUID() }] })),
  'POST /provisioned-devices/:provisionedId/claim-code': async (w) =>
    by(w.admin, `/provisioned-devices/${(await provisioned(w)).id}/claim-code`),
  'DELETE /provisioned-devices/:provisionedId': async (w) =>
    by(w.admin, `/provisioned-devices/${(await provisioned(w)).id}`),
  'POST /devices/claim': async (w) => {
    const { code } = await provisioned(w);
    return by(await w.account(), '/devices/claim', { code });
  },
  'POST /devices/:deviceId/activation-code': ofDevice('/activation-code'),
  'POST /devices/activate': async (w) => {
    const { id } = await w.device();
    await w.rows(
      `INSERT INTO device_activations (device_id, code_hash, sealed, expires_at) VALUES ($1, $2, '', now() + interval '1 hour')`,
      [id, hashOf(CODE)],
    );
    return { path: '/devices/activate', body: { deviceId: id, code: CODE } };
  },
  'POST /devices/:deviceId/token/rotate': ofDevice('/token/rotate', { overlapSeconds: 60 }),
  'POST /devices/:deviceId/token/revoke': ofDevice('/token/revoke'),
  'POST /devices/:deviceId/transfer': (w) => ofDevice('/transfer', { email: uniqueEmail() })(w),
  'DELETE /devices/:deviceId/transfer': async (w) => {
    const { owner, id } = await offered(w);
    return by(owner, `/devices/${id}/transfer`);
  },
  'POST /devices/transfers/accept': async (w) => {
    const { heir, token } = await offered(w);
    return by(heir, '/devices/transfers/accept', { token });
  },
  'POST /devices/transfers/:transferId/accept': async (w) => {
    const { heir, path, token } = await offered(w);
    return by(heir, `${path}/accept`, { token });
  },
  'POST /devices/transfers/decline': async (w) => {
    const { heir, token } = await offered(w);
    return by(heir, '/devices/transfers/decline', { token });
  },
  'POST /devices/transfers/:transferId/decline': async (w) => {
    const { heir, path, token } = await offered(w);
    return by(heir, `${path}/decline`, { token });
  },
  'POST /devices/:deviceId/factory-reset': ofDevice('/factory-reset'),
};
