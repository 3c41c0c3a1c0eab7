import { createHash, randomBytes } from 'node:crypto';
import { type InsertedAccount, uniqueEmail } from './accounts.fixture.js';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';

const TERMS = { permission: 'control' } as const;

/** A share of a device, and who has what of it. */
async function aShare(
  w: RequestFactory,
): Promise<{ owner: InsertedAccount; guest: InsertedAccount; shareId: string; path: string }> {
  const [{ owner, id }, guest] = await Promise.all([w.device(), w.account()]);
  const path = `/devices/${id}/shares`;
  const shareId = await w.create(owner, path, { ...TERMS, email: guest.email });
  return { owner, guest, shareId, path: `${path}/${shareId}` };
}

/** A share that waits for its recipient, whose token is known, though it was mailed. */
async function aWaitingShare(w: RequestFactory): Promise<{ guest: InsertedAccount; token: string }> {
  const { guest, shareId } = await aShare(w);
  const token = randomBytes(32).toString('base64url');
  await w.execute(
    `UPDATE device_shares SET user_id = NULL, token_hash = $2, token_expires_at = now() + interval '1 day' WHERE id = $1`,
    [shareId, createHash('sha256').update(token).digest()],
  );
  return { guest, token };
}

/** One request for every route that changes shares. */
export const SHARING_CHANGES: Readonly<Record<string, (factory: RequestFactory) => Promise<ChangingRequest>>> = {
  'POST /devices/:deviceId/shares': async (w) => {
    const { owner, id } = await w.device();
    const body = { ...TERMS, email: uniqueEmail() };
    return { path: `/devices/${id}/shares`, token: owner.accessToken, body };
  },
  'PATCH /devices/:deviceId/shares/:shareId': async (w) => {
    const { owner, path } = await aShare(w);
    return { path, token: owner.accessToken, body: { suspended: true } };
  },
  'DELETE /devices/:deviceId/shares/:shareId': async (w) => {
    const { owner, path } = await aShare(w);
    return { path, token: owner.accessToken };
  },
  'POST /devices/:deviceId/shares/:shareId/invitation': async (w) => {
    const { owner, path } = await aShare(w);
    return { path: `${path}/invitation`, token: owner.accessToken };
  },
  'POST /shares/accept': async (w) => {
    const { guest, token } = await aWaitingShare(w);
    return { path: '/shares/accept', token: guest.accessToken, body: { token } };
  },
  'DELETE /shares/:shareId': async (w) => {
    const { guest, shareId } = await aShare(w);
    return { path: `/shares/${shareId}`, token: guest.accessToken };
  },
};
