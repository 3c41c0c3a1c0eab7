import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import type { TestApp } from './test-app.js';

/** The same access token, that expires in so many seconds. */
export async function tokenFor(seconds: number, application: TestApp, token: string): Promise<string> {
  const { kid, alg, privateKey } = await application.get(KeyStore).signingKey('access_token');
  return new SignJWT({ ...decodeJwt(token), exp: Math.floor(Date.now() / 1_000) + seconds })
    .setProtectedHeader({ ...decodeProtectedHeader(token), kid, alg })
    .sign(privateKey);
}
