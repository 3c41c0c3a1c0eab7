import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { DOCS } from './settings.js';

/** What the provider of mail signs its reports with. */
export const MAIL_EVENTS_SETTINGS = {
  MAIL_EVENTS_PUBLIC_KEY: z
    .string()
    .refine(isP256, { error: 'must be a public key for ECDSA on P-256: DER (SPKI) in Base64, in one line' })
    .transform((text) => Buffer.from(text, 'base64'))
    .nullable()
    .default(null)
    .register(DOCS, {
      description:
        'Verification key of the signed event webhook of SendGrid, which reports bounces to POST /api/v1/notifications/mail-events. Unset: none is taken.',
      example: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…',
    }),
} as const;

function isP256(text: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
