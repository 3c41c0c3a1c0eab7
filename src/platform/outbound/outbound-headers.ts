import { InvalidOutboundHeaderError } from './outbound.errors.js';

const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Visible ASCII with blanks between: RFC 9110, section 5.5. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;
/** Of the connection, of the message's length, of another host; or such as would tell a receiver more than it is called for. */
const OURS = new Set(
  (
    'accept-encoding connection content-length cookie expect host keep-alive proxy-authenticate proxy-authorization ' +
    'proxy-connection referer te trailer transfer-encoding upgrade user-agent via'
  ).split(' '),
);

/** @throws InvalidOutboundHeaderError */
export function outboundHeaders(given: Readonly<Record<string, string>>, version: string): Record<string, string> {
  const entries = Object.entries(given).map(([name, value]) => {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name) || !VALUE.test(value) || OURS.has(lower)) {
      throw new InvalidOutboundHeaderError(name);
    }
    return [lower, value] as const;
  });
  return {
    ...Object.fromEntries(entries),
    'user-agent': `Mortise/${version}`,
    // What is not asked for compressed is read as it is, also when it comes compressed.
    'accept-encoding': 'identity',
  };
}

/** Of an answer: one that came several times is one list (RFC 9110, section 5.3). The parser has bounded them to 16 KiB. */
export function answeredHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}
