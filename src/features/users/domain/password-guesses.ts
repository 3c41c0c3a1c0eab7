/** Costs are powers of ten: the guesses that a piece takes an attacker who tries likely ones first. */
const NAME_COST = 0.5;
const REPEATED_COST = 0.3;
const RUN_COST = 1.5;
/** Even the most common word must be put in its place among others, so any four words are a good password. */
const LEAST_WORD_COST = 2.3;
const SIGN_COST = 1;
const CHARACTER_COST = 1;
/** A character out of thousands: of a script that writes whole words with one, or a picture. */
const RICH_CHARACTER_COST = 2;
const RICH = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{So}]/u;

/** Characters that are looked at: as many as a password may have. */
const LONGEST_ESTIMATED = 128;
const SHORTEST_PIECE = 3;
const LONGEST_PIECE = 40;
const YEAR = /^(?:19|20)\d\d$/;
/** Rows of a keyboard, digits and the alphabet, each continued from its end to its beginning. */
const RUNS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm', '1qaz2wsx3edc4rfv5tgb6yhn7ujm']
  .flatMap((run) => [run, Array.from(run).reverse().join('')])
  .map((run) => run.repeat(Math.ceil(LONGEST_PIECE / run.length) + 1));

/** Beginnings of runs. Most pieces begin with none of them, so one look-up is enough. */
const RUN_STARTS = new Set(
  RUNS.flatMap((run) => Array.from({ length: run.length }, (_, at) => run.slice(at, at + SHORTEST_PIECE))),
);

/** Characters that stand for letters. */
const DISGUISES: ReadonlyMap<string, string> = new Map(
  ['0o', '3e', '4a', '5s', '7t', '8b', '9g', '@a', '$s', '€e', '!i', '|l', '+t', '(c'].map(
    (pair) => [pair.charAt(0), pair.charAt(1)] as const,
  ),
);
const BETWEEN_WORDS = /[^\p{L}\p{N}\p{So}@$€!|+(]/u;

/** What an attacker knows. */
export interface Known {
  /** Common passwords with their ranks; the most common has 1. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Names of the person and of this service, as {@link plainly} writes them. */
  readonly names: ReadonlySet<string>;
}

export interface Estimate {
  /** As a power of ten. */
  readonly guesses: number;
  /** Whether a name was part of it. */
  readonly named: boolean;
}

/**
 * How many guesses an attacker needs who knows the person, common passwords, and how people vary them: upper case, signs
 * between and after, digits for letters, repetition. The time it takes is proportional to the length.
 * @param password of bounded length
 */
export function estimate(password: string, known: Known): Estimate {
  const characters = Array.from(fold(password));
  const text = characters.filter((character) => !BETWEEN_WORDS.test(character)).join('');
  const signs = new Set(characters.filter((character) => BETWEEN_WORDS.test(character))).size;
  const estimates = [text, withoutRepeats(text)].map((each) => ofText(each, known));
  const best = estimates.reduce((least, each) => (each.guesses < least.guesses ? each : least));
  return { guesses: best.guesses + signs * SIGN_COST, named: best.named };
}

/** A name as it would be found in a password. */
export function plainly(name: string): string {
  return Array.from(fold(name))
    .filter((character) => /[\p{L}\p{N}]/u.test(character))
    .join('');
}

interface Piece {
  readonly text: string;
  readonly cost: number;
  readonly isName: boolean;
}

/** The cheapest way to a position in the text: its last piece, and where that begins. */
interface Step {
  readonly cost: number;
  readonly piece: Piece | null;
  readonly from: number;
}

/** The cheapest way to compose the text of known pieces and single characters. */
function ofText(text: string, known: Known): Estimate {
  const spellings = spellingsOf(text);
  const best: Step[] = [{ cost: 0, piece: null, from: 0 }];
  for (let end = 1; end <= text.length; end += 1) {
    best.push(cheapestTo(end, text, spellings, best, known));
  }
  const pieces: Piece[] = [];
  for (let at = text.length; at > 0; at = best[at]?.from ?? 0) {
    const piece = best[at]?.piece;
    pieces.push(...(piece ? [piece] : []));
  }
  return { guesses: costOf(pieces), named: pieces.some(({ isName }) => isName) };
}

function cheapestTo(
  end: number,
  text: string,
  spellings: readonly string[],
  best: readonly Step[],
  known: Known,
): Step {
  const last = text.charAt(end - 1);
  let cheapest = after(best, end - 1, { text: last, cost: costOfCharacter(last), isName: false });
  for (let start = end - SHORTEST_PIECE; start >= Math.max(0, end - LONGEST_PIECE); start -= 1) {
    for (const spelling of spellings) {
      const piece = pieceOf(spelling.slice(start, end), known);
      const step = piece && after(best, start, piece);
      cheapest = step && step.cost < cheapest.cost ? step : cheapest;
    }
  }
  return cheapest;
}

function after(best: readonly Step[], from: number, piece: Piece): Step {
  return { cost: (best[from]?.cost ?? Infinity) + piece.cost, piece, from };
}

function pieceOf(text: string, { names, ranks }: Known): Piece | null {
  if (names.has(text)) {
    return { text, cost: NAME_COST, isName: true };
  }
  if (YEAR.test(text) || isRun(text)) {
    return { text, cost: RUN_COST, isName: false };
  }
  const rank = ranks.get(text);
  return rank === undefined ? null : { text, cost: Math.max(LEAST_WORD_COST, Math.log10(rank)), isName: false };
}

function isRun(text: string): boolean {
  return RUN_STARTS.has(text.slice(0, SHORTEST_PIECE)) && RUNS.some((run) => run.includes(text));
}

/** A repeated piece hardly takes another guess. */
function costOf(pieces: readonly Piece[]): number {
  const seen = new Set<string>();
  return pieces.reduce((sum, { text, cost }) => {
    const isRepeated = seen.has(text);
    seen.add(text);
    return sum + (isRepeated ? REPEATED_COST : cost);
  }, 0);
}

function costOfCharacter(character: string): number {
  return RICH.test(character) ? RICH_CHARACTER_COST : CHARACTER_COST;
}

/** The text as it is, and with letters for the characters that stand for them; `1` is an i or an l. */
function spellingsOf(text: string): string[] {
  const undisguised = (one: string): string =>
    text.replace(/[0-9@$€!|+(]/g, (sign) => (sign === '1' ? one : (DISGUISES.get(sign) ?? sign)));
  return [...new Set([text, undisguised('i'), undisguised('l')])];
}

function withoutRepeats(text: string): string {
  return text.replace(/(.+?)\1+/gu, '$1');
}

/**
 * Without accents, width and case. One letter may stand for eighteen; of what it becomes, the beginning is enough: a whole
 * takes no fewer guesses than a part of it.
 */
function fold(text: string): string {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFKC').toLowerCase();
  return Array.from(folded).slice(0, LONGEST_ESTIMATED).join('');
}
