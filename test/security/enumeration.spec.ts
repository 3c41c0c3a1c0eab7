/**
 * P-13: no user enumeration on login, forgotten passwords, verified registration and invitations: an account that exists
 * and one that does not are answered alike, after the same work, in the same time. Each address is asked for once: one
 * that was asked for often gets no mail any more, and then its answers take as long as those for other emails.
 * Administrators may list accounts, so what they are told when they make one is not part of it. Seen failing on broken
 * builds: with the account looked up, its token and its mail made before the answer to who forgot the password, and
 * with an early return for who has no account, the statements differed; without the decoy hash of a login the clock
 * told, which needs a quiet machine to tell a millisecond.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/platform/prisma/database.js';
import { EnumerationFixture, type Probe } from '../support/enumeration.fixture.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import type { Answer } from '../support/rest.js';
import { seededRandom } from '../support/seeded-random.js';
import { StatementTrace } from '../support/statement-trace.js';
import { certainlyApart, quantileDifference, type TimedPair } from '../support/timing.js';

const COMPARED = scaled(8, 100);
const TIMED = { slow: scaled(40, 600), fast: scaled(120, 2_000) };
const WARM_UP = 10;
/** A difference is one when it is surely more than this, at both quantiles, each time it is looked for. */
const BOUND_MS = 0.2;
const QUANTILES = [0.1, 0.25];
const LOOKS = 3;
const PATIENCE_MS = scaled(120_000, 3_600_000);

/** Different for every answer, and about the request alone. */
const PER_REQUEST = ['date', 'x-request-id', 'ratelimit', 'ratelimit-policy', 'retry-after'];
const PER_BODY = { requestId: null, timestamp: null, id: null, email: null, createdAt: null, expiresAt: null };

const QUESTIONS = ['login', 'forgot password', 'verified registration', 'an invitation to an organization'];
/** What is hidden in it may be of another length; it is the same statement all the same. */
const LENGTHS_DIFFER = ['verified registration'];
/** Statements about the session of the request; their results are cached for a while. */
const OF_WHO_ASKS = 'sessions_end';

describe('P-13: enumeration', () => {
  let fixture: EnumerationFixture;
  let trace: StatementTrace;
  let clients = 0;

  beforeAll(async () => {
    fixture = await EnumerationFixture.start();
    trace = new StatementTrace(fixture.auth.get(Database));
  });

  afterAll(() => fixture.stop());

  /** All of one length, as much as what they type. */
  function nextClient(): string {
    clients += 1;
    return [
      '10',
      100 + (Math.floor(clients / 10_000) % 100),
      100 + (Math.floor(clients / 100) % 100),
      100 + (clients % 100),
    ].join('.');
  }
  const question = (asks: string): Probe => fixture.probes.find((question) => question.name === asks)!;

  it('says the same in body, status and headers', async () => {
    let [compared, differences] = [0, 0];
    for (const { send: ask, expected } of fixture.probes) {
      for (const pair of await fixture.createPairs(COMPARED)) {
        await fixture.makeRoom();
        const [one, other] = [await ask(pair[0], nextClient()), await ask(pair[1], nextClient())];
        compared += 1;
        differences += JSON.stringify(shown(one)) === JSON.stringify(shown(other)) ? 0 : 1;
        expect(one.status).toBe(expected);
        expect(shown(one)).toEqual(shown(other));
      }
    }
    recordFigure({
      promise: 'P-13',
      shown: 'Answers for accounts that exist and that do not, compared in body, status and headers:',
      n: compared,
      figure: `${String(differences)} differences`,
    });
  });

  it.each(['login', 'forgot password'])('says the same to who goes on asking: %s', async (asks) => {
    for (const [known, unknown] of await fixture.createPairs(2)) {
      const [here, elsewhere] = [nextClient(), nextClient()];
      // Past the point where a login has to wait, and where no more mail is sent.
      for (let repetition = 0; repetition < 8; repetition += 1) {
        const [one, other] = [await question(asks).send(known, here), await question(asks).send(unknown, elsewhere)];
        expect(shown(one)).toEqual(shown(other));
      }
    }
  });

  it('keeps no count that tells that an address and a username belong together', async () => {
    const { email } = await fixture.auth.createUser({ username: 'together' });
    const from = nextClient();
    for (let guess = 0; guess < 6; guess += 1) {
      await fixture.auth.login(email, 'wrong', { from });
    }
    expect((await fixture.auth.login(email, 'wrong', { from })).status).toBe(429);
    expect((await fixture.auth.login('together', 'wrong', { from })).status).toBe(401);
  });

  it('asks the same of the database before the answer', async () => {
    let [compared, different] = [0, 0];
    for (const { name: asks, send: ask } of fixture.probes) {
      for (const pair of await fixture.createPairs(COMPARED)) {
        await fixture.makeRoom();
        const traces: (readonly string[])[] = [];
        for (const email of pair) {
          const from = nextClient();
          await ask(email, from);
          const asked = trace.of(from).filter((statement) => nameOf(statement) !== OF_WHO_ASKS);
          traces.push(LENGTHS_DIFFER.includes(asks) ? asked.map(nameOf) : asked);
        }
        const [one = [], other = []] = traces;
        compared += 1;
        different += one.join() === other.join() ? 0 : 1;
        expect(one.length).toBeGreaterThan(1);
        expect([asks, ...one]).toEqual([asks, ...other]);
      }
    }
    recordFigure({
      promise: 'P-13',
      shown: 'Statements before the answer, for fresh accounts and for addresses without one:',
      n: compared,
      figure: `${String(different)} pairs differ`,
    });
  });

  async function measure({ slow, send: ask }: Probe, seed: number): Promise<TimedPair[]> {
    const random = seededRandom(seed);
    const pairs: TimedPair[] = [];
    for (const emails of await fixture.createPairs((slow ? TIMED.slow : TIMED.fast) + WARM_UP)) {
      await fixture.makeRoom();
      const times: [number, number] = [0, 0];
      const first = random() < 0.5 ? 0 : 1;
      for (const which of [first, 1 - first] as (0 | 1)[]) {
        const from = nextClient();
        const start = performance.now();
        await ask(emails[which], from);
        times[which] = performance.now() - start;
      }
      pairs.push(times);
    }
    return pairs.slice(WARM_UP);
  }

  it.each(QUESTIONS)(
    'takes the same time: %s',
    async (asks) => {
      const told: boolean[] = [];
      // A difference that is there shows every time; what a busy machine adds does not.
      for (let look = 0; look < LOOKS && told.every(Boolean); look += 1) {
        const pairs = await measure(question(asks), SEED + look);
        const differences = QUANTILES.map((quantile) => quantileDifference(pairs, quantile, SEED));
        told.push(differences.every((difference) => certainlyApart(difference) > BOUND_MS));
        recordFigure({
          promise: 'P-13',
          shown: `${asks}, for fresh accounts and for addresses without one, in pairs; how much longer the former took:`,
          n: pairs.length,
          figure: differences.map(inWords).join(', '),
          seed: SEED,
        });
      }
      expect(told).toContain(false);
    },
    PATIENCE_MS,
  );
});

function shown({ status, headers, body }: Answer): unknown {
  const kept = [...headers].filter(([name]) => !PER_REQUEST.includes(name)).sort();
  // A body that is not there spreads into nothing.
  return { status, headers: kept, body: { ...body, ...PER_BODY } };
}

function nameOf(statement: string): string {
  return statement.replace(/\(.*$/, '');
}

function inWords({ quantile, ms, low, high }: ReturnType<typeof quantileDifference>): string {
  const percent = String(quantile * 100);
  return `${ms.toFixed(2)} ms at ${percent} % (99 % sure: ${low.toFixed(2)} to ${high.toFixed(2)})`;
}
