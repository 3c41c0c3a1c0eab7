import { FORMULA_SIGN, SKIPPED_BEFORE_FORMULA } from './csv.js';

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const FIRST_NON_ASCII = 0x80;
const CRLF = Buffer.from('\r\n');
const APOSTROPHE = Buffer.from("'");

/** What a character is to a spreadsheet that looks for a formula. */
const OTHER = 0;
const SKIPPED = 1;
const SIGN = 2;
const ASCII = Uint8Array.from({ length: FIRST_NON_ASCII }, (_, byte) => kindOfCharacter(String.fromCharCode(byte)));
/** Bytes that are looked at; most are not. */
const LOOKED_AT = Uint8Array.from({ length: 256 }, (_, byte) => Number([QUOTE, SEMICOLON, TAB, LF, CR].includes(byte)));

/** Whether a spreadsheet would find a formula; `unknown`: what is there does not decide it. */
type Finding = 'formula' | 'none' | 'unknown';

/**
 * Makes CSV of ours, as `csvLines` writes it, out of what PostgreSQL copies out (`COPY … TO STDOUT (FORMAT csv)`): lines end in
 * CR LF (RFC 4180), and what looks like a formula gets an apostrophe in front. Texts must be quoted in it (`FORCE_QUOTE`): what
 * is not quoted is a number or a name of ours, and stays. It reads bytes, because a million rows pass through.
 */
export class CopiedCsvReader {
  /** Lines so far, with the header. */
  lines = 0;
  #data: Buffer = Buffer.alloc(0);
  /** No more bytes follow those of `data`. */
  #isLast = false;
  #at = 0;
  #written = 0;
  #isQuoted = false;
  #pieces: Buffer[] = [];

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
    this.#written = 0;
    this.#pieces = [];
    let mayGoOn = true;
    while (mayGoOn && this.#at < data.length) {
      this.#at = skipPlain(data, this.#at);
      mayGoOn = this.#at === data.length || (this.#isQuoted ? this.lookInside() : this.lookBetween());
    }
    this.#pieces.push(data.subarray(this.#written, this.#at));
    return Buffer.concat(this.#pieces);
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
    if (data[at + 1] === QUOTE) {
      this.#at += 2;
    } else {
      this.#at += 1;
      this.#isQuoted = false;
    }
    return true;
  }

  /** At a byte outside of texts. @returns as {@link lookInside} */
  private lookBetween(): boolean {
    const byte = this.#data[this.#at];
    if (byte === QUOTE) {
      this.#isQuoted = this.judge(findFirst(this.#data, this.#at + 1));
      return this.#isQuoted;
    }
    if (byte === LF) {
      this.put(CRLF);
      this.lines += 1;
      this.#written += 1;
    }
    this.#at += 1;
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
  private put(piece: Buffer): void {
    this.#pieces.push(this.#data.subarray(this.#written, this.#at), piece);
    this.#written = this.#at;
  }
}

function skipPlain(data: Buffer, from: number): number {
  let at = from;
  while (at < data.length && LOOKED_AT[data[at] ?? 0] === 0) {
    at += 1;
  }
  return at;
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
