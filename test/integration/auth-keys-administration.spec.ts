/**
 * The signing keys in an administrator's hands. Seen to fail: with the body of a rotation ignored, and with tokens that
 * were looked at once believed after their key was retired.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { TestApp } from '../support/test-app.js';
import { type Account, createAccount, signIn } from '../support/accounts.fixture.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';

describe('Signing keys', () => {
  let application: TestApp;
  let sql: Sql;

  afterEach(async () => {
    await sql.end();
    await application.stop();
  });

  async function administrator(): Promise<Account> {
    application = await TestApp.start({ env: { ROLES: 'api', TOKEN_ALGORITHM: 'EdDSA' } });
    sql = await Sql.open(application.databaseUrl);
    const ada = await createAccount(application.url, 'ada');
    await sql.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [ada.id]);
    return { ...ada, ...(await signIn(application.url, ada.email)) };
  }

  const keysOf = (token: string, method = 'GET', path = '', body?: unknown) =>
    request<{ items: { kid: string; purpose: string; state: string }[]; code?: string }>(
      application.url,
      method,
      `/api/v1/auth/signing-keys${path}`,
      { token, body },
    );

  it('rotate for the purpose in the body alone, and a body that says anything else is refused', async () => {
    const { accessToken } = await administrator();
    const activeOf = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await keysOf(accessToken)).body.items
          .filter(({ state }) => state === 'active')
          .map(({ purpose, kid }) => [purpose, kid]),
      );
    await keysOf(accessToken, 'POST', '/rotate', {});
    const before = await activeOf();
    for (const wrong of [{ purpose: 'door' }, { purpose: null }, { unexpected: true }, ['access_token']]) {
      expect([wrong, (await keysOf(accessToken, 'POST', '/rotate', wrong)).status]).toEqual([wrong, 400]);
    }
    expect(await activeOf()).toEqual(before);
    expect((await keysOf(accessToken, 'POST', '/rotate', { purpose: 'access_token' })).status).toBe(200);
    const after = await activeOf();
    expect(after.order).toBe(before.order);
    expect(after.access_token).not.toBe(before.access_token);
  });

  it('are retired at once when one leaked: what it signed is refused, what its successor signs is not', async () => {
    const ada = await administrator();
    const kid = String(decodeProtectedHeader(ada.accessToken).kid);
    const { url } = application;
    const me = async (token: string): Promise<number> =>
      (await request(url, 'GET', '/api/v1/users/me', { token })).status;
    expect((await keysOf(ada.accessToken, 'POST', `/${kid}/retire`)).body).toMatchObject({
      status: 409,
      code: 'signing_key_in_use',
    });
    await keysOf(ada.accessToken, 'POST', '/rotate', { purpose: 'access_token' });
    const { accessToken } = await signIn(url, ada.email);
    expect([await me(ada.accessToken), await me(accessToken)]).toEqual([200, 200]);

    const retired = await keysOf(accessToken, 'POST', `/${kid}/retire`);
    expect(retired.status).toBe(200);
    expect(retired.body.items.find((each) => each.kid === kid)?.state).toBe('retired');
    // This process received of it; one that did not finds out within a minute.
    expect([await me(ada.accessToken), await me(accessToken)]).toEqual([401, 200]);
    const published = await request<{ keys: { kid: string }[] }>(url, 'GET', '/.well-known/jwks.json');
    expect(published.body.keys.map((each) => each.kid)).not.toContain(kid);
    const [row] = await sql.rows<{ sealed: number }>(
      'SELECT length(sealed_private) AS sealed FROM signing_keys WHERE kid = $1',
      [kid],
    );
    expect(row?.sealed).toBe(0);

    expect((await keysOf(accessToken, 'POST', `/${kid}/retire`)).body.code).toBe('signing_key_retired');
    expect((await keysOf(accessToken, 'POST', `/${'A'.repeat(43)}/retire`)).body.code).toBe('signing_key_not_found');
    const audited = await sql.rows(
      `SELECT outcome, code, entity_id AS kid FROM audit_entries WHERE action = 'signing_key_retired' ORDER BY id`,
    );
    expect(audited).toEqual([
      { outcome: 'failure', code: 'signing_key_in_use', kid },
      { outcome: 'success', code: null, kid },
      { outcome: 'failure', code: 'signing_key_retired', kid },
      { outcome: 'failure', code: 'signing_key_not_found', kid: 'A'.repeat(43) },
    ]);
  });
});
