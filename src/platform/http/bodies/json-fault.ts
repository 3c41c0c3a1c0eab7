import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';

/** By the names that the reader has for its errors. None repeats a word of the text, which may hold a password. */
const WORDS: Readonly<Record<string, string>> = {
  InvalidSymbol: 'a word or character that means nothing',
  InvalidNumberFormat: 'a malformed number',
  PropertyNameExpected: 'a name in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'something follows the end of it',
  InvalidCommentToken: 'a comment',
  UnexpectedEndOfComment: 'a comment',
  UnexpectedEndOfString: 'a text without a closing quote',
  UnexpectedEndOfNumber: 'a malformed number',
  InvalidUnicode: 'a malformed escape',
  InvalidEscapeCharacter: 'a malformed escape',
  InvalidCharacter: 'a control character, which must be escaped',
};

/** Longer texts are not explained: anyone may send one. */
const LONGEST_TEXT = 65_536;

/** Ends the reading. */
class FirstFault extends Error {
  constructor(
    readonly fault: ParseErrorCode,
    readonly offset: number,
  ) {
    super('A fault was found.');
  }
}

/** What is wrong with a text that should be JSON, and where it begins; null when this reader finds nothing, or gives up. */
export function jsonFault(text: string): string | null {
  if (text.length > LONGEST_TEXT) {
    return null;
  }
  try {
    visit(text, { onError: (fault, offset) => stopAt(fault, offset) }, { disallowComments: true });
    return null;
  } catch (error) {
    if (error instanceof FirstFault) {
      return describe(text, error);
    }
    // It reads what is nested by calling itself, and some texts are nested more than a stack is deep.
    if (error instanceof RangeError) {
      return null;
    }
    throw error;
  }
}

function stopAt(fault: ParseErrorCode, offset: number): never {
  throw new FirstFault(fault, offset);
}

function describe(text: string, { fault, offset }: FirstFault): string {
  const lines = text.slice(0, offset).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return `${WORDS[printParseErrorCode(fault)] ?? 'something else'} at line ${String(lines.length)}, column ${String(column)}`;
}
