import type { Answer } from './rest.js';
import { recordFigure, scaled } from './promise.js';

const TIMES = scaled(8, 1_000);
const AT_ONCE = 4;
const RIGHT = 'one effect and one refusal';

/** What two people do at the same instant, and how many rows show an effect afterwards. */
export interface Contest {
  readonly both: readonly [() => Promise<Answer>, () => Promise<Answer>];
  /** What the later of the two is told, such as `409 settings_changed`; for each, where they are told different things. */
  readonly refusal: string | readonly [string, string];
  readonly effects: () => Promise<number>;
}

/** How long {@link contest} may take. */
export const CONTEST_MS = scaled(60_000, 900_000);

/** Holds a contest many times, each with new people. @returns what came out that was not one effect and that refusal */
export async function contest(name: string, prepare: () => Promise<Contest>): Promise<string[]> {
  const outcomes: string[] = [];
  for (let done = 0; done < TIMES; done += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, TIMES - done) }, async () => hold(await prepare()));
    outcomes.push(...(await Promise.all(some)));
  }
  const wrong = outcomes.filter((outcome) => outcome !== RIGHT);
  recordFigure({
    promise: 'P-07',
    shown: `Two people act on one device at the same instant: ${name}.`,
    n: outcomes.length,
    figure: `${String(outcomes.length - wrong.length)} times one effect and one refusal`,
  });
  return wrong;
}

async function hold({ both, refusal, effects }: Contest): Promise<string> {
  const answers = await Promise.all(both.map(async (act) => told(await act())));
  const refusals = typeof refusal === 'string' ? [refusal, refusal] : refusal;
  const done = answers.filter((answer) => answer === 'done').length;
  const refused = answers.filter((answer, index) => answer === refusals[index]).length;
  const count = await effects();
  return done === 1 && refused === 1 && count === 1 ? RIGHT : `${String(count)} effects, ${answers.join(' and ')}`;
}

/** `done`, or the status and the code of the problem. */
function told({ status, body }: Answer): string {
  return status < 300 ? 'done' : `${String(status)} ${String((body as { code?: unknown } | undefined)?.code)}`;
}
