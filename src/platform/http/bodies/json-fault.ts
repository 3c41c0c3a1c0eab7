import { parse, type ParseError, printParseErrorCode } from 'jsonc-parser';

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

/** What is wrong with a text that should be JSON, and where it begins; null when this reader finds nothing. */
export function jsonFault(text: string): string | null {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (!first) {
    return null;
  }
  const lines = text.slice(0, first.offset).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return `${WORDS[printParseErrorCode(first.error)] ?? 'something else'} at line ${String(lines.length)}, column ${String(column)}`;
}
