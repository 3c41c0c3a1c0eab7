/**
 * P-13: no user enumeration on login, forgot and verified registration: an account that exists and one that does not
 * are answered alike, in the same time.
 * Seen failing on broken builds: without the decoy hash a login for nobody is faster than one for somebody; with an
 * early return for who has no account, forgotten passwords are.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { User } from '../../src/features/users/users.types.js';
import { addressOf, FrontDoor, SECRET } from '../support/front-door.js';
import { recordFigure, scaled } from '../support/promise.js';
import type { Answer } from '../support/rest.js';

const PAIRS = scaled(40, 400);
const PAIRS_PER_ACCOUNT = 20;
/** Of the median, or a millisecond and a half: on a machine that does other things. Without the decoys it is a third and more. */
const RELATIVE_BOUND = 0.2;
const ABSOLUTE_BOUND_MS = 1.5;

/** Different for every answer, and about the request alone. */
const PER_REQUEST = ['date', 'x-request-id', 'ratelimit', 'ratelimit-policy'];

interface Subject {
  readonly asks: string;
  readonly ask: (identifier: string, from: string) => Promise<Answer>;
}

describe('P-13: enumeration', () => {
  let door: FrontDoor;
  let known: User[];
  let unknown: string[];
  let clients = 0;

  beforeAll(async () => {
    door = await FrontDoor.open({ REGISTRATION: 'verified', SMTP_URL: '' });
    known = [];
    for (let made = 0; made < Math.max(2, PAIRS / PAIRS_PER_ACCOUNT); made += 1) {
      known.push(await door.person());
    }
    // As long as those that exist.
    unknown = known.map(() => `${randomUUID()}@example.com`);
  });

  afterAll(() => door.close());

  const nextClient = (): string => addressOf((clients += 1));

  const subjects: Subject[] = [
    { asks: 'login', ask: (identifier, from) => door.login(identifier, 'a wrong password', { from }) as never },
    {
      asks: 'forgot password',
      ask: (identifier, from) => door.post('/auth/forgot-password', { identifier }, { from }),
    },
    {
      asks: 'verified registration',
      ask: (email, from) => door.post('/auth/register', { email, password: SECRET }, { from }),
    },
  ];

  function shown({ status, headers, body }: Answer): unknown {
    return {
      status,
      headers: [...headers].filter(([name]) => !PER_REQUEST.includes(name)).sort(),
      // A body that is not there spreads into nothing.
      body: { ...body, requestId: null, timestamp: null },
    };
  }

  it('says the same in body, status and headers', async () => {
    let [compared, differences] = [0, 0];
    for (const { ask } of subjects) {
      const [there, gone] = [known[0]!.email, unknown[0]!];
      // From one address each, past the point where a login has to wait.
      const [here, elsewhere] = [nextClient(), nextClient()];
      for (let repetition = 0; repetition < 8; repetition += 1) {
        const answers = [await ask(there, here), await ask(gone, elsewhere)];
        const [one, other] = answers.map((answer) =>
          JSON.stringify(shown(answer)).replace(/"(retry-after)","\d+"/, '$1'),
        );
        compared += 1;
        differences += one === other ? 0 : 1;
        expect(one).toBe(other);
      }
    }
    const throttled = await door.login(unknown[0]!, 'wrong', { from: nextClient() });
    expect(throttled.status).toBe(401);
    recordFigure({
      promise: 'P-13',
      shown: 'Answers for accounts that exist and that do not, compared in body, status and headers:',
      n: compared,
      figure: `${String(differences)} differences`,
    });
  });

  it('keeps no count that tells that an address and a username belong together', async () => {
    const { email } = await door.person({ username: 'together' });
    const from = nextClient();
    for (let guess = 0; guess < 6; guess += 1) {
      await door.login(email, 'wrong', { from });
    }
    expect((await door.login(email, 'wrong', { from })).status).toBe(429);
    expect((await door.login('together', 'wrong', { from })).status).toBe(401);
  });

  it.each(subjects)('takes the same time: $asks', async ({ asks, ask }) => {
    const times: [known: number[], unknown: number[]] = [[], []];
    const timed = async (which: 0 | 1, identifier: string): Promise<void> => {
      const from = nextClient();
      const start = performance.now();
      await ask(identifier, from);
      times[which].push(performance.now() - start);
    };
    // What is asked for the first time makes rows, and warms caches: not part of the question.
    for (let index = 0; index < known.length; index += 1) {
      await ask(known[index]!.email, nextClient());
      await ask(unknown[index]!, nextClient());
    }
    const measure = async (): Promise<{ there: number; gone: number; bound: number }> => {
      times.forEach((list) => list.splice(0));
      for (let pair = 0; pair < PAIRS; pair += 1) {
        const index = pair % known.length;
        const first = pair % 2 === 0 ? 0 : 1;
        for (const which of [first, 1 - first] as (0 | 1)[]) {
          await timed(which, which === 0 ? known[index]!.email : unknown[index]!);
        }
      }
      const [there, gone] = times.map(median) as [number, number];
      return { there, gone, bound: Math.max(ABSOLUTE_BOUND_MS, RELATIVE_BOUND * Math.max(there, gone)) };
    };
    // A difference that is there shows every time; what a busy machine adds does not.
    let { there, gone, bound } = await measure();
    for (let again = 0; again < 2 && Math.abs(there - gone) > bound; again += 1) {
      ({ there, gone, bound } = await measure());
    }
    recordFigure({
      promise: 'P-13',
      shown: `Median time of ${asks}, for accounts that exist and that do not, interleaved:`,
      n: PAIRS,
      figure: `${there.toFixed(1)} and ${gone.toFixed(1)} ms, bound ${bound.toFixed(1)} ms`,
    });
    expect(Math.abs(there - gone)).toBeLessThanOrEqual(bound);
  });
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
