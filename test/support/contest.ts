import type { Answer } from './rest.js';
import { recordFigure, scaled } from './promise.js';

const TIMES = scaled(8, 1_000);
const AT_ONCE = 4;
/** What the later of two is told: the permission, the thing or the state is not as it was, or the code is used. */
const REFUSALS = [403, 404, 409, 412, 422];

/** What two people do at the same instant, and how many rows show an effect afterwards. */
export interface Contest {
  readonly both: readonly [() => Promise<Answer>, () => Promise<Answer>];
  readonly effects: () => Promise<number>;
}

/** How long {@link contest} may take. */
export const CONTEST_MS = scaled(60_000, 900_000);

/** Holds a contest many times, each with new people. @returns what came out that was not one effect and one refusal */
export async function contest(name: string, prepare: () => Promise<Contest>): Promise<string[]> {
  const outcomes: string[] = [];
  for (let done = 0; done < TIMES; done += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, TIMES - done) }, async () => {
      const { both, effects } = await prepare();
      const statuses = await Promise.all(both.map(async (act) => (await act()).status));
      const refusals = statuses.filter((status) => REFUSALS.includes(status)).length;
      return `${String(await effects())} effect, ${String(refusals)} refusal of ${String(statuses.length)}`;
    });
    outcomes.push(...(await Promise.all(some)));
  }
  const wrong = outcomes.filter((outcome) => outcome !== '1 effect, 1 refusal of 2');
  recordFigure({
    promise: 'P-07',
    shown: `Two people act on one device at the same instant: ${name}.`,
    n: outcomes.length,
    figure: `${String(outcomes.length - wrong.length)} times one effect and one refusal`,
  });
  return wrong;
}
