import { cutText } from '../../../shared/cut-text.js';
import type { NotificationKind, NotificationValues } from '../notifications.types.js';
import { digestLines, type DigestItem } from './digest-lines.js';
import { formatted, momentIn } from './message-format.js';
import { textArguments } from './text-arguments.js';
import { languageOf, type TextLanguage } from './text-language.js';

/** What a person reads. */
export interface NotificationText {
  /** One line of up to 120 characters (UTF-16 units). */
  readonly title: string;
  /** Up to 4,000 characters, in paragraphs between empty lines. */
  readonly text: string;
  /** In which it is, as a BCP 47 tag: `en` for a person whose language we do not speak. */
  readonly language: string;
}

const MAX_TITLE = 120;
const MAX_TEXT = 4_000;
const MAX_LINES = 50;
/** How many lines fewer are tried where those do not fit. */
const LINES_STEP = 5;

/** One notification. */
export function textOf(
  language: string,
  kind: NotificationKind,
  values: NotificationValues,
  timeZone = 'UTC',
): NotificationText {
  const spoken = languageOf(language);
  const messages = spoken.catalog.kinds[kind];
  const known = textArguments(spoken, values, timeZone);
  return bounded(
    spoken,
    formatted(messages.title, spoken.locale, known),
    formatted(messages.text, spoken.locale, known),
  );
}

/** Several notifications at once: equal ones in one line, with how many they are; of many lines, some of every kind. */
export function digestOf(language: string, items: readonly DigestItem[], timeZone: string): NotificationText {
  const [first] = items;
  if (first && items.length === 1) {
    return textOf(language, first.kind, { occurredAt: first.at.toISOString(), ...first.values }, timeZone);
  }
  const spoken = languageOf(language);
  const title = digestTitle(spoken, items);
  const period = digestPeriod(spoken, items, timeZone);
  for (let lines = MAX_LINES; ; lines -= LINES_STEP) {
    const text = [period, ...digestLines(spoken, items, timeZone, lines)].join('\n\n');
    if (text.length <= MAX_TEXT || lines <= LINES_STEP) {
      return bounded(spoken, title, text);
    }
  }
}

function digestTitle({ catalog, locale }: TextLanguage, items: readonly DigestItem[]): string {
  const [kind, ...others] = new Set(items.map((item) => item.kind));
  const count = items.length;
  return kind && others.length === 0
    ? formatted(catalog.digest.titleOfOneKind, locale, { heading: catalog.kinds[kind].heading, count })
    : formatted(catalog.digest.title, locale, { count });
}

function digestPeriod({ catalog, locale }: TextLanguage, items: readonly DigestItem[], timeZone: string): string {
  const times = items.map(({ at }) => at.getTime());
  const [from, until] = [Math.min(...times), Math.max(...times)].map((at) =>
    Number.isFinite(at) ? momentIn(locale, timeZone, new Date(at), 'full') : '',
  ) as [string, string];
  const isMoment = from === until ? 'yes' : 'no';
  return formatted(catalog.digest.period, locale, { count: items.length, from, until, isMoment });
}

function bounded({ locale }: TextLanguage, title: string, text: string): NotificationText {
  return { title: cutText(title, MAX_TITLE), text: cutText(text, MAX_TEXT), language: locale };
}
