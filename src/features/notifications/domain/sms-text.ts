/** The basic alphabet of GSM 03.38; each takes seven bits. */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Those that take an escape and seven bits. */
const EXTENDED = '\f^{}\\[~]|€';
const WIDTHS = new Map([...widthsOf(BASIC, 1), ...widthsOf(EXTENDED, 2)]);

/** What one segment has room for, alone and as a part of several, which are numbered. */
const GSM = { alone: 160, part: 153 };
const UCS2 = { alone: 70, part: 67 };
/** Two segments of seven bits, or four of sixteen, none of which ends within a sign of two: more is read in the app. */
const LONGEST_GSM = 2 * (GSM.part - 1);
const LONGEST_UCS2 = 4 * (UCS2.part - 1);

/** Signs that would make a text more than twice as dear, as the alphabet has them. */
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201a]/g, "'"],
  [/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"'],
  [/[\u2010-\u2014\u2212\u2022\u00b7]/g, '-'],
  [/\u2026/g, '...'],
  [/[\u00a0\u2000-\u200a\u202f\t]/g, ' '],
];

/**
 * A title and a text as one text message: the link is at its end whole, and what does not fit before it is cut.
 * @param url null: none
 */
export function smsText(title: string, text: string, url: string | null): string {
  const body = plain(`${title}\n${text}`);
  const end = url === null ? '' : `\n${url}`;
  const longest = widthOf(body + end) === null ? LONGEST_UCS2 : LONGEST_GSM;
  return cutTo(body, longest - lengthOf(end, longest === LONGEST_GSM)) + end;
}

/** How many segments a text is sent as. */
export function segmentsOf(text: string): number {
  const isGsm = widthOf(text) !== null;
  const { alone, part } = isGsm ? GSM : UCS2;
  if (lengthOf(text, isGsm) <= alone) {
    return 1;
  }
  let [segments, used] = [1, 0];
  for (const character of text) {
    // No segment ends within an escaped character, or a pair.
    const width = lengthOf(character, isGsm);
    [segments, used] = used + width > part ? [segments + 1, width] : [segments, used + width];
  }
  return segments;
}

function plain(text: string): string {
  return PLAIN.reduce((shown, [sign, simple]) => shown.replace(sign, simple), text.trim());
}

function widthsOf(characters: string, width: number): (readonly [string, number])[] {
  return Array.from(characters, (character) => [character, width]);
}

/** In septets; null: the alphabet has not all of it. */
function widthOf(text: string): number | null {
  let width = 0;
  for (const character of text) {
    const one = WIDTHS.get(character);
    if (one === undefined) {
      return null;
    }
    width += one;
  }
  return width;
}

function lengthOf(text: string, isGsm: boolean): number {
  return isGsm ? (widthOf(text) ?? text.length) : text.length;
}

function cutTo(text: string, room: number): string {
  const isGsm = widthOf(text) !== null;
  if (lengthOf(text, isGsm) <= room) {
    return text;
  }
  let [kept, used] = ['', 3];
  for (const character of text) {
    used += lengthOf(character, isGsm);
    if (used > room) {
      break;
    }
    kept += character;
  }
  return `${kept.trimEnd()}...`;
}
