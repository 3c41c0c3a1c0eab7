import { createHmac } from 'node:crypto';
import { equalInConstantTime } from '../crypto/digest.js';

/** Where Twilio reports what came of the message `id`. */
export function statusCallbackFor(callback: string, id: string): string {
  const url = new URL(callback);
  url.searchParams.set('id', id);
  return url.href;
}

/** A request as Twilio signs it. */
export interface SignedRequest {
  /** As Twilio was given it, with its query. */
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of `X-Twilio-Signature`. */
  readonly signature: string;
}

/**
 * Whether who sent this knows the token: HMAC-SHA1 of the URL and of the parameters by their names ("Validating signatures from
 * Twilio"). Twilio may write the port of the scheme into the URL, or leave it out.
 */
export function isSignedByTwilio(authToken: string, { url, parameters, signature }: SignedRequest): boolean {
  const content = Object.keys(parameters)
    .sort()
    .map((name) => name + (parameters[name] ?? ''))
    .join('');
  const given = Buffer.from(signature, 'base64');
  return spellingsOf(url)
    .map((spelling) =>
      createHmac('sha1', authToken)
        .update(spelling + content)
        .digest(),
    )
    .some((expected) => equalInConstantTime(expected, given));
}

function spellingsOf(url: string): readonly string[] {
  const { protocol, port, hostname } = new URL(url);
  const withPort = port === '' ? (protocol === 'https:' ? ':443' : ':80') : '';
  const start = `${protocol}//${hostname}`;
  return [url, start + withPort + url.slice(url.indexOf('/', protocol.length + 2))];
}
