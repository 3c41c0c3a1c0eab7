import type { MailHeaders } from './mail-text.js';

type HeaderName = keyof MailHeaders;
/** As it is, without the folding and encoding of the library: a URL that was folded is another URL. */
type PreparedHeader = Readonly<{ prepared: true; value: string }>;

const ONE_CLICK = 'List-Unsubscribe=One-Click';
/** A line of a mail ends after 998 characters (RFC 5322, 2.1.1). */
const MAX_VALUE_LENGTH = 998 - 'List-Unsubscribe: '.length;
/** One URL in printable ASCII: nothing that ends a line, begins a comment, or adds a second URL. */
const ONE_URL = /^<https?:\/\/[!#$%&'*+\-./0-9:;=?@A-Z[\]_a-z~]+>$/;

const IS_VALUE: Readonly<Record<HeaderName, (value: string) => boolean>> = {
  'List-Unsubscribe': (value) =>
    value.length <= MAX_VALUE_LENGTH && ONE_URL.test(value) && URL.canParse(value.slice(1, -1)),
  'List-Unsubscribe-Post': (value) => value === ONE_CLICK,
};

/**
 * The headers of a mail as the library takes them. A type is no guard here: the values of a mail were read from a table.
 * @throws for any other name, and for a value that the header does not take.
 */
export function checkedHeaders(headers: MailHeaders | undefined): Record<string, PreparedHeader> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]: [string, unknown]) => {
      if (!isHeaderName(name) || typeof value !== 'string' || !IS_VALUE[name](value)) {
        // Without the value: it may have a token in it.
        throw new Error(`A mail may not have the header ${JSON.stringify(name)} with this value.`);
      }
      return [name, { prepared: true, value }];
    }),
  );
}

function isHeaderName(name: string): name is HeaderName {
  return Object.hasOwn(IS_VALUE, name);
}
