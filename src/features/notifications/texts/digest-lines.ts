import type { NotificationKind, NotificationValues } from '../notifications.types.js';
import { formatted, momentIn } from './message-format.js';
import { textArguments } from './text-arguments.js';
import type { TextLanguage } from './text-language.js';

/** A notification of a digest. */
export interface DigestItem {
  readonly kind: NotificationKind;
  readonly values: NotificationValues;
  readonly at: Date;
}

/** Notifications that say the same. */
interface Repeated {
  readonly what: string;
  count: number;
  lastAt: number;
}

/** All of one kind; the latest first. */
interface Section {
  readonly heading: string;
  readonly count: number;
  readonly lines: readonly Repeated[];
}

/**
 * A paragraph for each kind: its heading, then what it was about.
 * @param maxLines headings included. A kind with few lines leaves what it does not need to the others, so that a flood of
 * one kind hides no other.
 */
export function digestLines(
  language: TextLanguage,
  items: readonly DigestItem[],
  timeZone: string,
  maxLines: number,
): string[] {
  const sections = [...Map.groupBy(items, ({ kind }) => kind)].map(([kind, same]) => sectionOf(language, kind, same));
  const allowed = sharesOf(sections, maxLines - sections.length);
  return sections.map((section) => paragraphOf(language, section, timeZone, allowed.get(section) ?? 0));
}

function sectionOf(language: TextLanguage, kind: NotificationKind, items: readonly DigestItem[]): Section {
  const { heading, line } = language.catalog.kinds[kind];
  const lines = new Map<string, Repeated>();
  for (const { values, at } of items) {
    const what = formatted(line, language.locale, textArguments(language, values, 'UTC'));
    const repeated = lines.get(what) ?? { what, count: 0, lastAt: 0 };
    repeated.count += 1;
    repeated.lastAt = Math.max(repeated.lastAt, at.getTime());
    lines.set(what, repeated);
  }
  return { heading, count: items.length, lines: [...lines.values()].sort((a, b) => b.lastAt - a.lastAt) };
}

/** Those with few lines first: what they leave is divided among the rest. */
function sharesOf(sections: readonly Section[], maxLines: number): Map<Section, number> {
  const shares = new Map<Section, number>();
  let left = Math.max(maxLines, 0);
  const byLength = [...sections].sort((a, b) => a.lines.length - b.lines.length);
  byLength.forEach((section, index) => {
    const share = Math.min(section.lines.length, Math.floor(left / (sections.length - index)));
    shares.set(section, share);
    left -= share;
  });
  return shares;
}

function paragraphOf({ catalog, locale }: TextLanguage, section: Section, timeZone: string, allowed: number): string {
  const { heading, count, lines } = section;
  const shown = lines.length > allowed ? lines.slice(0, Math.max(allowed - 1, 0)) : lines;
  const more = lines.slice(shown.length).reduce((sum, line) => sum + line.count, 0);
  return [
    formatted(catalog.digest.heading, locale, { heading, count }),
    ...shown.map((line) => {
      const at = momentIn(locale, timeZone, new Date(line.lastAt), 'short');
      return formatted(catalog.digest.line, locale, { what: line.what, count: line.count, at });
    }),
    ...(more > 0 && allowed > 0 ? [formatted(catalog.digest.more, locale, { count: more })] : []),
  ].join('\n');
}
