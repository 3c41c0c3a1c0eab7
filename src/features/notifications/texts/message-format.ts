import { IntlMessageFormat } from 'intl-messageformat';
import { LRUCache } from 'lru-cache';

export type MessageArguments = Readonly<Record<string, string | number>>;

/** In full with its zone, or as short as a line of a list wants it. */
export type MomentStyle = 'full' | 'short';

const SHORT = { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' } as const;
const STYLES: Readonly<Record<MomentStyle, Intl.DateTimeFormatOptions>> = {
  full: { ...SHORT, year: 'numeric', timeZoneName: 'short' },
  short: SHORT,
};
/** Making one costs far more than its use does. */
const MESSAGES = new LRUCache<string, IntlMessageFormat>({ max: 2_000 });
const MOMENTS = new LRUCache<string, Intl.DateTimeFormat>({ max: 1_000 });

/** A message of a catalog with its arguments. These are text: what stands in them is neither syntax nor a tag. */
export function formatted(message: string, locale: string, values: MessageArguments): string {
  const key = `${locale} ${message}`;
  let format = MESSAGES.get(key);
  if (!format) {
    format = new IntlMessageFormat(message, locale, undefined, { ignoreTag: true });
    MESSAGES.set(key, format);
  }
  return String(format.format(values));
}

/** An instant as the clocks of a zone show it. */
export function momentIn(locale: string, timeZone: string, at: Date, style: MomentStyle): string {
  const key = `${locale} ${timeZone} ${style}`;
  let format = MOMENTS.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...STYLES[style], timeZone: knownZone(timeZone) });
    MOMENTS.set(key, format);
  }
  return format.format(at);
}

/** A zone that another release knows may be none here. */
function knownZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
