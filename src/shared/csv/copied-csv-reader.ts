import { FORMULA_SIGN, SKIPPED_BEFORE_FORMULA } from './csv.js';

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const APOSTROPHE = 0x27;
const PLUS = 0x2b;
const MINUS = 0x2d;
const T = 0x54;
const FIRST_NON_ASCII = 0x80;
const NO_MINUTES = [...Buffer.from(':00')];

/** What a character is to a spreadsheet that looks for a formula. */
const OTHER = 0;
const SKIPPED = 1;
const SIGN = 2;
const ASCII = Uint8Array.from({ length: FIRST_NON_ASCII }, (_, byte) => kindOfCharacter(String.fromCharCode(byte)));
/** Bytes that are looked at within texts, and between them; most are not. */
const INSIDE = only(QUOTE, SEMICOLON, TAB, LF, CR);
const BETWEEN = only(QUOTE, LF, SPACE);
/** What is put in, beside a byte that is looked at, is no more than one byte, or three for the many of a time. */
const LONGEST_GROWTH = 2;

/** Whether a spreadsheet would find a formula; `unknown`: what is there does not decide it. */
type Finding = 'formula' | 'none' | 'unknown';

/**
 * Makes CSV of ours, as `csvLines` writes it, out of what PostgreSQL copies out (`COPY … TO STDOUT (FORMAT csv)`): lines end in
 * CR LF (RFC 4180), what looks like a formula gets an apostrophe in front, and times are those of RFC 3339. Texts must be quoted in
 * it (`FORCE_QUOTE`): what is not quoted is a number, a name of ours or a time, and of these a time alone has a space. PostgreSQL
 * writes times as it is used to (`2026-11-01 08:00:00+01`), because that costs it a third of what another form does. All this is
 * done byte by byte, because a million rows pass through.
 */
export class CopiedCsvReader {
  /** Lines so far, with the header. */
  lines = 0;
  #data: Buffer = Buffer.alloc(0);
  /** No more bytes follow those of `data`. */
  #isLast = false;
  #at = 0;
  #written: Buffer = Buffer.alloc(0);
  #length = 0;
  /** So many bytes of `data` are in `written`. */
  #copied = 0;
  #isQuoted = false;

  /** What it yields is good until the next is asked for: a buffer for each would be a gigabyte to be collected. */
  async *read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      // What could not be judged without what follows.
      const rest = this.#data.subarray(this.#at);
      yield this.convert(rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk);
    }
    this.#isLast = true;
    yield this.convert(this.#data.subarray(this.#at));
  }

  private convert(data: Buffer): Buffer {
    this.#data = data;
    this.#at = 0;
    if (this.#written.length < data.length * LONGEST_GROWTH) {
      this.#written = Buffer.allocUnsafeSlow(data.length * LONGEST_GROWTH);
    }
    this.#length = 0;
    this.#copied = 0;
    do {
      this.skipPlain();
    } while (this.#at < data.length && (this.#isQuoted ? this.lookInside() : this.lookBetween()));
    this.copyTaken();
    return this.#written.subarray(0, this.#length);
  }

  /** Goes to the next byte that is looked at. A quote within a text is doubled, and none. */
  private skipPlain(): void {
    const [data, isQuoted] = [this.#data, this.#isQuoted];
    const looked = isQuoted ? INSIDE : BETWEEN;
    let at = this.#at;
    while (at < data.length) {
      const byte = data[at] ?? 0;
      if (looked[byte] === 1) {
        if (byte !== QUOTE || !isQuoted || data[at + 1] !== QUOTE) {
          break;
        }
        at += 1;
      }
      at += 1;
    }
    this.#at = at;
  }

  /** At a byte of a text. @returns false where what follows has to be known first. */
  private lookInside(): boolean {
    const [data, at] = [this.#data, this.#at];
    const byte = data[at] ?? 0;
    if (byte !== QUOTE) {
      return this.judge(findAfter(data, at, byte));
    }
    if (at + 1 === data.length && !this.#isLast) {
      return false;
    }
    this.#at += 1;
    this.#isQuoted = false;
    return true;
  }

  /** At a byte outside of texts. @returns as {@link lookInside} */
  private lookBetween(): boolean {
    const byte = this.#data[this.#at];
    if (byte === QUOTE) {
      this.#isQuoted = this.judge(findFirst(this.#data, this.#at + 1));
      return this.#isQuoted;
    }
    if (byte === SPACE) {
      return this.takeTime();
    }
    this.put(CR);
    this.#at += 1;
    this.lines += 1;
    return true;
  }

  /** At the space of a time. @returns as {@link lookInside} */
  private takeTime(): boolean {
    const data = this.#data;
    let end = this.#at + 1;
    while (end < data.length && data[end] !== COMMA && data[end] !== LF) {
      end += 1;
    }
    if (end === data.length && !this.#isLast) {
      return false;
    }
    data[this.#at] = T;
    this.#at = end;
    const sign = data[end - NO_MINUTES.length];
    if (sign === PLUS || sign === MINUS) {
      this.put(...NO_MINUTES);
    }
    return true;
  }

  private judge(finding: Finding): boolean {
    if (finding === 'unknown' && !this.#isLast) {
      return false;
    }
    this.#at += 1;
    if (finding === 'formula') {
      this.put(APOSTROPHE);
    }
    return true;
  }

  /** Puts something in between, at this place. */
  private put(...bytes: readonly number[]): void {
    this.copyTaken();
    for (const byte of bytes) {
      this.#written[this.#length] = byte;
      this.#length += 1;
    }
  }

  private copyTaken(): void {
    this.#length += this.#data.copy(this.#written, this.#length, this.#copied, this.#at);
    this.#copied = this.#at;
  }
}

function only(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(bytes.includes(byte)));
}

/** At the begin of a text: spreadsheets take some characters away there, and see what follows. */
function findFirst(data: Buffer, at: number): Finding {
  const byte = data[at];
  return byte === TAB || byte === CR || byte === LF ? 'formula' : find(data, at);
}

/** Behind what begins a cell for readers with another separator, or to whom a quote is a letter. */
function findAfter(data: Buffer, at: number, byte: number): Finding {
  if (byte === CR && (at + 1 === data.length || data[at + 1] === LF)) {
    return at + 1 === data.length ? 'unknown' : 'none';
  }
  return find(data, at + 1);
}

function find(data: Buffer, from: number): Finding {
  let at = from;
  while (at < data.length) {
    const byte = data[at] ?? 0;
    if (byte === QUOTE && at + 1 < data.length && data[at + 1] !== QUOTE) {
      // The text ends here.
      return 'none';
    }
    const next = at + lengthOf(byte);
    if (next > data.length) {
      return 'unknown';
    }
    const kind = byte === QUOTE ? SKIPPED : kindOf(data, at, next);
    if (kind !== SKIPPED) {
      return kind === SIGN ? 'formula' : 'none';
    }
    at = next;
  }
  return 'unknown';
}

function kindOf(data: Buffer, at: number, next: number): number {
  return next === at + 1 ? (ASCII[data[at] ?? 0] ?? OTHER) : kindOfCharacter(data.toString('utf8', at, next));
}

function kindOfCharacter(character: string): number {
  if (SKIPPED_BEFORE_FORMULA.test(character)) {
    return SKIPPED;
  }
  return FORMULA_SIGN.test(character) ? SIGN : OTHER;
}

/** In bytes, of a character in UTF-8 by its first one; of a quote with the one that doubles it. */
function lengthOf(first: number): number {
  if (first < FIRST_NON_ASCII) {
    return first === QUOTE ? 2 : 1;
  }
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}
