import type { MemberRules } from './member-rules.js';

/** What a value is, as clients are told. */
export type Kind = 'text' | 'a number' | 'true or false' | 'a list' | 'an object' | 'null' | 'nothing';

/** One rule of class-validator in words. */
interface RuleWords {
  /** Of several broken rules the lowest is told: what a value is, before which it is, before how large or long it is. */
  readonly rank: number;
  /** Another kind of value is named in the refusal. */
  readonly expects?: Kind;
  readonly say: (member: MemberRules) => string;
}

const KIND = 1;
const CHOICE = 2;
const SIZE = 3;
/** Rules with words of their own. */
const FORM = 4;

/** Names of members tell their units. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/Ms$/, ' of milliseconds'],
  [/Seconds$/, ' of seconds'],
  [/Bytes$/, ' of bytes'],
];

const WORDS: Readonly<Record<string, RuleWords>> = {
  isString: { rank: KIND, expects: 'text', say: () => 'must be text' },
  isBoolean: { rank: KIND, expects: 'true or false', say: () => 'must be true or false' },
  isInt: { rank: KIND, expects: 'a number', say: wholeNumber },
  isArray: { rank: KIND, expects: 'a list', say: () => 'must be a list' },
  isObject: { rank: KIND, expects: 'an object', say: () => 'must be an object' },
  nestedValidation: { rank: KIND, expects: 'an object', say: () => 'must be an object' },
  isIn: { rank: CHOICE, expects: 'text', say: choice },
  equals: { rank: CHOICE, expects: 'text', say: (member) => `must be ${String(member.argument('equals'))}` },
  isEmail: { rank: CHOICE, expects: 'text', say: () => 'must be an e-mail address' },
  isUuid: { rank: CHOICE, expects: 'text', say: () => 'must be a UUID' },
  isJwt: { rank: CHOICE, expects: 'text', say: () => 'must be an access token (JWT)' },
  isUrl: { rank: CHOICE, expects: 'text', say: () => 'must be an https URL without a user name and password' },
  min: { rank: SIZE, say: wholeNumber },
  max: { rank: SIZE, say: wholeNumber },
  isLength: { rank: SIZE, expects: 'text', say: characters },
  minLength: { rank: SIZE, expects: 'text', say: characters },
  maxLength: { rank: SIZE, expects: 'text', say: characters },
  arrayMinSize: { rank: SIZE, expects: 'a list', say: items },
  arrayMaxSize: { rank: SIZE, expects: 'a list', say: items },
  arrayUnique: { rank: FORM, expects: 'a list', say: () => 'must not contain anything twice' },
  matches: { rank: FORM, expects: 'text', say: () => 'does not have the documented form' },
};

/** Of the broken rules of one member, the most basic one in words, which do not depend on the order of decorators. */
export function wordsFor(
  broken: Readonly<Record<string, string>>,
  member: MemberRules,
  { value, isText }: { readonly value: unknown; readonly isText: boolean },
): string {
  const [rule = ''] = Object.keys(broken).sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  const words = WORDS[rule];
  const said = words === undefined || member.hasWords(rule) ? (broken[rule] ?? '') : words.say(member);
  if (member.isForEach(rule)) {
    return `: each of them ${said}`;
  }
  const kind = kindOf(value);
  const isExpected = (isText && kind === 'text') || expectedBy(words).includes(kind);
  return ` ${said}${isExpected ? '' : `, not ${kind}`}`;
}

/** Rules that do not say it are about texts or numbers. */
function expectedBy(words: RuleWords | undefined): readonly Kind[] {
  return words?.expects === undefined ? ['text', 'a number'] : [words.expects];
}

export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'undefined':
      return 'nothing';
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  }
}

function rankOf(rule: string): number {
  return WORDS[rule]?.rank ?? FORM;
}

function wholeNumber(member: MemberRules): string {
  const unit = UNITS.find(([name]) => name.test(member.name))?.[1] ?? '';
  const [min, max] = [Number(member.argument('min')), Number(member.argument('max'))];
  const isOpen = Number.isNaN(max) || max === Number.MAX_SAFE_INTEGER;
  const from = Number.isNaN(min) ? '' : `, at least ${String(min)}`;
  return `must be a whole number${unit}${isOpen ? from : ` between ${String(min)} and ${String(max)}`}`;
}

function choice(member: MemberRules): string {
  const allowed = member.argument('isIn') as readonly unknown[];
  return `must be one of ${allowed.map(String).join(', ')}`;
}

function characters(member: MemberRules): string {
  const min = Number(member.argument('isLength') ?? member.argument('minLength') ?? 0);
  const max = Number(member.argument('isLength', 1) ?? member.argument('maxLength'));
  return `must have ${count(min, max)} characters`;
}

function items(member: MemberRules): string {
  return `must have ${count(Number(member.argument('arrayMinSize') ?? 0), Number(member.argument('arrayMaxSize')))} items`;
}

function count(min: number, max: number): string {
  if (Number.isNaN(max)) {
    return `at least ${String(min)}`;
  }
  return min === max
    ? `exactly ${String(max)}`
    : min > 0
      ? `${String(min)} to ${String(max)}`
      : `at most ${String(max)}`;
}
