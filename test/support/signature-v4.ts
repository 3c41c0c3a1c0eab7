import { createHmac, hash } from 'node:crypto';
import type { ArrivedRequest } from './scripted-server.js';

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The signature that a server of AWS computes for a request to S3, from what arrived and the secret (Signature Version 4). s3rver
 * knows accounts and checks no signature.
 */
export function signatureOf({ method, url, headers }: ArrivedRequest, secret: string): string {
  const [path = '', query = ''] = url.split('?');
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  const canonicalRequest = [
    method,
    path,
    query.split('&').sort().join('&'),
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    String(headers['x-amz-content-sha256']),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash('sha256', canonicalRequest)].join('\n');
  const key = scope.split('/').reduce<Buffer | string>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}
