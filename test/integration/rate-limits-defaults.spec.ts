/** Every rate limit at its default, over HTTP: as many requests pass as its headers say, and no more. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { quotaOf } from '../../src/config/rate-limit.js';
import type { RateCategory } from '../../src/contracts/rate-limits.js';
import { RateLimitRegistry } from '../../src/platform/rate-limit/rate-limit-registry.js';
import { createAccount, insertAccount, PASSWORD } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { type Answer, request, type RequestOptions } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';

/** Of a category, a request that it limits, and no narrower one does. */
type Way = () => Promise<() => Promise<Answer>>;

/** Limits of what a request does, not of requests: test/integration/devices-named-owners.spec.ts; and of a provider that signs. */
const NOT_OF_REQUESTS = ['provisioning_mail', 'mail_reports', 'sms_reports'] as const satisfies readonly RateCategory[];

const AT_ONCE = 10;
/** Sent beyond the quota. */
const BEYOND = 5;

let app: TestApp;
let lastHost = 0;

beforeAll(async () => {
  app = await TestApp.start({
    env: { ROLES: 'api', RATE_LIMIT_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1/32', ADDRESS_BLOCK_AFTER: '0' },
  });
}, 60_000);

afterAll(() => app.stop());

function sender(method: string, path: string, options: RequestOptions = {}): () => Promise<Answer> {
  lastHost += 1;
  const headers = { ...options.headers, 'x-forwarded-for': `198.51.100.${String(lastHost)}` };
  return () =>
    request(app.url, method, path, {
      ...options,
      headers: method === 'POST' ? { ...headers, 'idempotency-key': randomUUID() } : headers,
    });
}

function oneAfterAnother(ask: () => Promise<Answer>): () => Promise<Answer> {
  let last = Promise.resolve<unknown>(undefined);
  return () => {
    const next = last.then(ask);
    last = next;
    return next;
  };
}

const WAYS: Record<Exclude<RateCategory, (typeof NOT_OF_REQUESTS)[number]>, Way> = {
  anonymous: () => Promise.resolve(sender('GET', '/api/v1/users/me')),
  user: async () => sender('GET', '/api/v1/users/me', { token: (await insertAccount(app)).accessToken }),
  auth: () =>
    Promise.resolve(
      sender('POST', '/api/v1/auth/login', { body: { identifier: 'ada@example.com', password: 'not the password' } }),
    ),
  refresh: async () => {
    let { refreshToken } = await createAccount(app.url);
    return oneAfterAnother(async () => {
      const answer = await sender('POST', '/api/v1/auth/refresh', { body: { refreshToken } })();
      refreshToken = answer.status === 200 ? (answer.body.refreshToken as string) : refreshToken;
      return answer;
    });
  },
  reauthentication: async () => {
    const { accessToken: token } = await createAccount(app.url);
    // Wrong passwords, and several at once, have narrower limits of their own.
    const body = { currentPassword: PASSWORD, newPassword: PASSWORD };
    return oneAfterAnother(sender('POST', '/api/v1/auth/password', { token, body }));
  },
  analytics: async () => sender('GET', '/api/v1/analytics/live', { token: (await insertAccount(app)).accessToken }),
  admin: async () =>
    sender('GET', '/api/v1/users', { token: (await insertAccount(app, { role: 'ADMIN' })).accessToken }),
  webhooks: async () =>
    sender('POST', `/api/v1/webhooks/${randomUUID()}/test`, { token: (await insertAccount(app)).accessToken }),
  chat_hooks: async () =>
    sender('PUT', '/api/v1/notifications/chat', {
      token: (await insertAccount(app)).accessToken,
      body: { url: 'https://hooks.example.com/services/T0' },
    }),
  mail_suppressions: async () =>
    sender('DELETE', '/api/v1/notifications/mail-suppression', { token: (await insertAccount(app)).accessToken }),
  phone: async () =>
    sender('POST', '/api/v1/notifications/phone/confirm', {
      token: (await insertAccount(app)).accessToken,
      body: { code: '000000' },
    }),
  exports: async () =>
    sender('GET', '/api/v1/users/export?format=json', {
      token: (await insertAccount(app, { role: 'ADMIN' })).accessToken,
    }),
  mail: async () => {
    const token = (await insertAccount(app)).accessToken;
    const { body } = await request<{ id: string }>(app.url, 'POST', '/api/v1/organizations', {
      token,
      body: { name: 'A' },
    });
    // Mail to one mailbox has a narrower limit of its own.
    let guest = 0;
    return () =>
      sender('POST', `/api/v1/organizations/${body.id}/invitations`, {
        token,
        body: { email: `guest-${String((guest += 1))}@example.com`, role: 'VIEWER' },
      })();
  },
  device: async () => sender('GET', '/api/v1/devices', { token: (await insertAccount(app)).accessToken }),
  provisioning: async () =>
    sender('GET', '/api/v1/provisioned-devices', { token: (await insertAccount(app, { role: 'MAKER' })).accessToken }),
  claim: async () => sender('POST', '/api/v1/devices/claim', await wrongCode()),
  claim_address: () => {
    // From one address, each with an account of its own.
    const headers = { 'x-forwarded-for': '198.51.100.250', 'idempotency-key': 'x' };
    return Promise.resolve(async () =>
      request(app.url, 'POST', '/api/v1/devices/claim', { ...(await wrongCode()), headers }),
    );
  },
  activation: () => Promise.resolve(() => activate(randomUUID(), '198.51.100.251')),
  activation_device: () => {
    const deviceId = randomUUID();
    return Promise.resolve(() => activate(deviceId, '198.51.100.252'));
  },
  unlock: async () => {
    const person = await insertAccount(app);
    const { id } = await registerDevice(app.url, person);
    return sender('POST', `/api/v1/devices/${id}/commands`, {
      token: person.accessToken,
      body: { name: 'unlock_door' },
    });
  },
};

async function wrongCode(): Promise<RequestOptions> {
  return { token: (await insertAccount(app)).accessToken, body: { code: 'not the code' } };
}

function activate(deviceId: string, from: string): Promise<Answer> {
  const headers = { 'x-forwarded-for': from };
  return request(app.url, 'POST', '/api/v1/devices/activate', { body: { deviceId, code: 'not the code' }, headers });
}

/** The item of one category in a header of several (draft-ietf-httpapi-ratelimit-headers). */
function item({ headers }: Answer, header: string, category: string): Record<string, number> {
  const items = headers.get(header)?.split(', ') ?? [];
  const [, ...parameters] = items.find((each) => each.startsWith(`"${category}";`))?.split(';') ?? [];
  return Object.fromEntries(
    parameters.map((each) => each.split('=')).map(([name = '', value]) => [name, Number(value)]),
  );
}

async function send(times: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = times;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      answers.push(await ask());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

describe('A rate limit at its default', () => {
  it('is tried for every category there is', () => {
    expect(Object.keys(app.get(RateLimitRegistry).all()).sort()).toEqual(
      [...Object.keys(WAYS), ...NOT_OF_REQUESTS].sort(),
    );
  });

  it.each(Object.entries(WAYS))(
    'lets as many requests pass as it says: %s',
    async (name, prepare) => {
      const category = name as RateCategory;
      const policy = app.get(RateLimitRegistry).policyOf(category);
      const ask = await prepare();
      const startedAt = performance.now();
      const answers = await send(quotaOf(policy) + BEYOND, ask);
      const passed = answers.filter(({ status }) => status !== 429);
      const refused = answers.filter(({ status }) => status === 429);
      // What of a burst came back meanwhile.
      const returned = Math.ceil(((performance.now() - startedAt) * policy.burst) / policy.windowMs);

      const told = answers.map((answer) => item(answer, 'ratelimit-policy', category));
      expect(told).toEqual(answers.map(() => ({ q: quotaOf(policy), w: policy.windowMs / 1_000 })));
      expect(passed.length).toBeGreaterThanOrEqual(quotaOf(policy));
      expect(passed.length).toBeLessThanOrEqual(quotaOf(policy) + returned);
      const left = passed.map((answer) => item(answer, 'ratelimit', category).r ?? -1);
      expect(Math.max(...left)).toBe(quotaOf(policy) - 1);
      expect(Math.min(...left)).toBe(0);
      expect(new Set(left).size).toBe(quotaOf(policy));
      for (const answer of refused) {
        expect(answer.body).toMatchObject({ code: 'rate_limited' });
        expect(item(answer, 'ratelimit', category)).toMatchObject({ r: 0 });
        expect(String(answer.body.detail)).toContain(
          `"${category}" is ${String(policy.limit)} in ${String(policy.windowMs / 1_000)} s`,
        );
        expect(answer.headers.get('retry-after')).toBe(String(item(answer, 'ratelimit', category).t));
      }
      expect(refused.length).toBeGreaterThan(0);
      // What the last one that passed says of the next one is true of it.
      const used = passed.map((answer) => item(answer, 'ratelimit', category)).filter(({ r }) => r === 0);
      const waits = refused.map(({ headers }) => Number(headers.get('retry-after')));
      expect(Math.max(...used.map(({ t = 0 }) => t))).toBeGreaterThanOrEqual(Math.min(...waits) - 2);
    },
    60_000,
  );
});
