import { generateKeyPairSync, sign } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SIGNATURE = 'x-twilio-email-event-webhook-signature';
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp';

/** As the provider shows it. */
export const MAIL_EVENTS_KEY = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** An event as SendGrid documents it. */
export interface ReportedMailEvent {
  readonly email: string;
  readonly event: string;
  readonly timestamp: number;
  readonly 'smtp-id'?: string;
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
}

export const nowS = (): number => Math.floor(Date.now() / 1_000);

/** The headers of a report: a signature over the timestamp and the body. */
export function signedHeaders(body: string, timestampS = nowS()): Record<string, string> {
  const signature = sign('sha256', Buffer.from(String(timestampS) + body), privateKey);
  return {
    'content-type': 'application/json',
    [SIGNATURE]: signature.toString('base64'),
    [TIMESTAMP]: String(timestampS),
  };
}
