import { type KeyObject, verify } from 'node:crypto';

/** What came with a report. */
export interface SignedReport {
  readonly body: Buffer;
  /** Base64 of an ECDSA signature as DER. */
  readonly signature: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: string | undefined;
}

/** The provider repeats what was not taken for 24 hours, and does not say whether it signs it anew. */
const OLDEST_MS = 25 * 3_600_000;
/** Clocks differ. */
const NEWEST_MS = 10 * 60_000;

/**
 * What is wrong with a report, for its sender; null: the provider signed it, lately. An old one that is sent again says nothing new:
 * what was reported is heard once.
 */
export function faultOfReport(
  { body, signature, timestamp }: SignedReport,
  key: KeyObject,
  nowMs: number,
): string | null {
  if (signature === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) {
    return 'The headers with the signature and its timestamp are missing.';
  }
  if (!verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, 'base64'))) {
    return 'The signature is none of the provider over this body.';
  }
  const ageMs = nowMs - Number(timestamp) * 1_000;
  return ageMs > OLDEST_MS || ageMs < -NEWEST_MS ? 'The signature is older than a day, or of another time.' : null;
}
