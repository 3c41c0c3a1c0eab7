import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REFUSAL_CODES } from '../../src/contracts/commands.js';
import type { Order, SignedOrder } from '../../src/contracts/orders.js';
import { readOrderKeys } from './order-keys.js';
import { TestSigner } from './signer.js';
import { makeVectors, type ExpectedVerdict, type Vector } from './vectors.js';
import { readSignedOrder, verifyOrder, type LockFacts, type Verdict } from './verify-order.js';

const signer = new TestSigner('spec-1');
const other = new TestSigner('spec-2');
const keys = readOrderKeys({ keys: [signer.publicJwk, other.publicJwk] });
const facts: LockFacts = {
  deviceId: '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a55',
  boot: 'the-boot-of-this-spec',
  lastCounter: 10,
  uptimeMs: 60_000,
  retained: false,
  answerTo: () => undefined,
};
const order: Order<'unlock_door'> = {
  commandId: '0192a7c9-4e02-7b61-8f3d-5a90c1d2e3f4',
  name: 'unlock_door',
  payload: { durationMs: 5000 },
  deviceId: facts.deviceId,
  boot: facts.boot,
  counter: 11,
  expiresAtUptimeMs: 72_000,
  issuedAt: '2026-03-01T08:30:00.000Z',
  expiresAt: '2026-03-01T08:30:15.000Z',
};

const signed = (change: Record<string, unknown> = {}): SignedOrder =>
  signer.sign(JSON.stringify({ ...order, ...change }));
const judge = (message: SignedOrder | undefined, change: Partial<LockFacts> = {}): Verdict =>
  verifyOrder(message, keys, { ...facts, ...change });
const codeOf = (verdict: Verdict): string => (verdict.kind === 'refused' ? verdict.code : verdict.kind);

describe('P-14: the published vectors', () => {
  const file = makeVectors();
  const trusted = readOrderKeys({ keys: file.keys });
  const expectedOf = (verdict: Verdict): ExpectedVerdict => {
    switch (verdict.kind) {
      case 'accepted':
        return { verdict: 'accepted', commandId: verdict.order.commandId };
      case 'repeat':
        return { verdict: 'repeat', commandId: verdict.commandId, answer: verdict.answer };
      case 'refused':
        return { verdict: 'refused', code: verdict.code, commandId: verdict.commandId ?? null };
    }
  };

  it.each(file.vectors.map((vector): [string, Vector] => [vector.name, vector]))('hold for %s', (_name, vector) => {
    const { answered, ...lock } = file.lock;
    const answers = new Map(Object.entries(answered));
    const verdict = verifyOrder(readSignedOrder(Buffer.from(vector.message, 'utf8')), trusted, {
      ...lock,
      retained: vector.retained,
      answerTo: (commandId) => answers.get(commandId),
    });
    expect(expectedOf(verdict)).toEqual(vector.expect);
  });

  it('show every refusal there is', () => {
    const shown = file.vectors.flatMap(({ expect: { verdict, ...rest } }) =>
      verdict === 'refused' && 'code' in rest ? [rest.code] : [],
    );
    expect(new Set(shown)).toEqual(new Set(REFUSAL_CODES));
  });
});

describe('P-14: a lock refuses', () => {
  it('an order with any one bit of its text changed', () => {
    const message = signed();
    const bytes = Buffer.from(message.order, 'utf8');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const verdict = judge({ ...message, order: changed.toString('utf8') });
        expect(verdict).toMatchObject({ kind: 'refused', code: 'bad_signature' });
      }),
      { numRuns: 1500 },
    );
  });

  it('every one of the 512 signatures that differ in one bit', () => {
    const text = JSON.stringify(order);
    const signature = signer.signatureOf(text);
    for (let bit = 0; bit < 512; bit += 1) {
      const changed = Buffer.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const verdict = judge({ order: text, kid: signer.kid, signature: changed.toString('base64url') });
      expect(codeOf(verdict)).toBe('bad_signature');
    }
  });

  it('every signature that is spelled otherwise', () => {
    const message = signed();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (signature) => {
        fc.pre(signature !== message.signature);
        expect(codeOf(judge({ ...message, signature }))).toBe('bad_signature');
      }),
    );
    for (const spelled of [`${message.signature}=`, ` ${message.signature}`, `${message.signature}\n`]) {
      expect(codeOf(judge({ ...message, signature: spelled }))).toBe('bad_signature');
    }
  });

  it('every kid but the right one', () => {
    const inherited = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '');
    fc.assert(
      fc.property(fc.oneof(fc.string(), inherited), (kid) => {
        fc.pre(kid !== signer.kid && kid !== other.kid);
        expect(codeOf(judge({ ...signed(), kid }))).toBe('unknown_key');
      }),
    );
    expect(codeOf(judge({ ...signed(), kid: other.kid }))).toBe('bad_signature');
  });

  it('every boot but its own', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 64 }), (boot) => {
        fc.pre(boot !== facts.boot);
        expect(codeOf(judge(signed({ boot })))).toBe('wrong_boot');
      }),
    );
  });

  it('counters that do not grow, and accepts those that do', () => {
    const counter = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(counter, counter, (next, lastCounter) => {
        const verdict = judge(signed({ counter: next }), { lastCounter });
        expect(codeOf(verdict)).toBe(next > lastCounter ? 'accepted' : 'stale_counter');
      }),
    );
  });

  it('deadlines that its uptime has reached, and accepts later ones', () => {
    const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const near = fc.integer({ min: 59_990, max: 60_010 });
    fc.assert(
      fc.property(fc.oneof(time, near), fc.oneof(time, near), (expiresAtUptimeMs, uptimeMs) => {
        const verdict = judge(signed({ expiresAtUptimeMs }), { uptimeMs });
        expect(codeOf(verdict)).toBe(uptimeMs < expiresAtUptimeMs ? 'accepted' : 'deadline_passed');
      }),
    );
  });

  it('members of any wrong type, though the signature holds', () => {
    const members = Object.keys(order).filter((name) => name !== 'payload');
    const wrong = fc.constantFrom<unknown>(null, true, [], {}, [1], { valueOf: 1 }, -1, 0.5, '');
    fc.assert(
      fc.property(fc.constantFrom(...members), wrong, (member, value) => {
        expect(codeOf(judge(signed({ [member]: value })))).toBe('malformed_order');
      }),
    );
  });

  it('durations outside 1000 to 30000 ms, and accepts those inside', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
        (durationMs) => {
          const fits = Number.isInteger(durationMs) && durationMs >= 1000 && durationMs <= 30_000;
          expect(codeOf(judge(signed({ payload: { durationMs } })))).toBe(fits ? 'accepted' : 'invalid_payload');
        },
      ),
    );
  });

  it('a payload that brings a prototype along', () => {
    const text = JSON.stringify(order).replace('{"durationMs":5000}', '{"__proto__":{"durationMs":5000}}');
    expect(codeOf(judge(signer.sign(text)))).toBe('invalid_payload');
  });

  it('whatever was not signed, without ever throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(judge(readSignedOrder(bytes))).toMatchObject({ kind: 'refused' });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('whatever JSON was signed that is no order, without ever throwing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(codeOf(judge(signer.sign(text)))).toBe('malformed_order');
      }),
      { numRuns: 1000 },
    );
  });

  it('a message that is not UTF-8', () => {
    const bytes = Buffer.from(JSON.stringify(signed()), 'utf8');
    bytes[bytes.indexOf('unlock')] = 0xff;
    expect(codeOf(judge(readSignedOrder(bytes)))).toBe('malformed_order');
  });
});

describe('P-14: a lock that knows the id', () => {
  const answer = { status: 'executed' as const, result: { lockState: 'unlocked' } };
  const answerTo = (commandId: string): typeof answer | undefined =>
    commandId === order.commandId ? answer : undefined;

  it('answers again, whatever the boot, the counter and the deadline are now', () => {
    const late = signed({ boot: 'an-earlier-boot', counter: 1, expiresAtUptimeMs: 1 });
    expect(judge(late, { answerTo })).toEqual({ kind: 'repeat', commandId: order.commandId, answer });
  });

  it('does not answer a forger who uses it', () => {
    const forged = { ...signed(), signature: other.sign('x').signature };
    expect(judge(forged, { answerTo })).toEqual({ kind: 'refused', code: 'bad_signature' });
    expect(judge(signed(), { answerTo, retained: true })).toEqual({ kind: 'refused', code: 'retained_message' });
  });
});
