import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { loadConfig } from '../../config/load-config.js';
import type { SessionEnd } from '../../contracts/sessions.js';
import type { KeyStore } from '../keys/key-store.js';
import { AccessTokenFactory } from './access-token-factory.js';
import { TokenExpiredError, TokenInvalidError } from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import type { Principal } from './principal.js';
import type { SessionVerifier } from './session-verifier.js';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ADA: Principal = { userId: randomUUID(), sessionId: randomUUID(), role: 'USER' };
const CONFIG = loadConfig({
  DATABASE_URL: 'postgres://nowhere',
  REDIS_URL: 'redis://nowhere',
  MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
});

let end: SessionEnd | null;
let lookUp: (kid: string) => Promise<KeyObject | null>;
let remembered: Record<string, KeyObject> | undefined;
let authenticator: Authenticator;
const ed25519 = generateKeyPairSync('ed25519');
const keys = {
  signingKey: () => Promise.resolve({ kid: 'k1', alg: 'RS256', privateKey }),
  verificationKey: (_purpose: string, kid: string) => lookUp(kid),
  rememberedKey: (_purpose: string, kid: string) => remembered && (remembered[kid] ?? null),
} as unknown as KeyStore;
let asked: unknown[];
const gate: SessionVerifier = {
  endOf: (_sessionId, options) => {
    asked.push(options);
    return Promise.resolve(end);
  },
};

beforeEach(() => {
  end = null;
  asked = [];
  const known: Record<string, KeyObject> = { k1: createPublicKey(privateKey), e1: ed25519.publicKey };
  lookUp = (kid) => Promise.resolve(known[kid] ?? null);
  remembered = known;
  authenticator = new Authenticator(CONFIG, keys, gate);
});

const issue = async (): Promise<string> => (await new AccessTokenFactory(CONFIG, keys).sign(ADA)).token;

interface Forgery {
  header?: Record<string, string>;
  claims?: Record<string, unknown>;
  issuer?: string;
  audience?: string;
  expires?: number;
  key?: KeyObject;
}

function forge({ header = {}, claims = {}, issuer, audience, expires, key = privateKey }: Forgery): Promise<string> {
  return new SignJWT({ sub: ADA.userId, sid: ADA.sessionId, role: ADA.role, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt', ...header })
    .setIssuer(issuer ?? CONFIG.http.publicUrl)
    .setAudience(audience ?? 'mortise')
    .setExpirationTime(expires ?? Math.floor(Date.now() / 1_000) + 60)
    .sign(key);
}

const UNKNOWN_KEY = Buffer.from('{"alg":"RS256","kid":"k9","typ":"at+jwt"}').toString('base64url');

describe('Authenticator', () => {
  it('knows the person behind a token it issued, the second time without checking the signature again', async () => {
    const token = await issue();
    await expect(authenticator.authenticate(token)).resolves.toEqual(ADA);
    lookUp = () => Promise.resolve(createPublicKey(other.privateKey));
    await expect(authenticator.authenticate(token)).resolves.toEqual(ADA);
  });

  it('refuses a token whose key was retired, though it was good a moment ago', async () => {
    const token = await issue();
    await authenticator.authenticate(token);
    lookUp = () => Promise.resolve(null);
    await expect(authenticator.authenticate(token)).rejects.toBeInstanceOf(TokenInvalidError);
  });

  it('tells from memory which tokens are none of its own or have expired, and no more than that', async () => {
    const [good, past] = [await issue(), await forge({ expires: Math.floor(Date.now() / 1_000) - 60 })];
    const forged = [await forge({ key: other.privateKey }), await forge({ header: { kid: 'k2' } }), past, 'x', ''];
    lookUp = () => Promise.reject(new Error('the database is away'));
    end = 'revoked';
    expect(await Promise.all([good, ...forged].map((token) => authenticator.isRefutable(token)))).toEqual([
      false,
      ...forged.map(() => true),
    ]);
    expect(asked).toEqual([]);
    remembered = undefined;
    expect(await authenticator.isRefutable(await forge({ key: other.privateKey }))).toBe(false);
  });

  it('asks for the session every time', async () => {
    const token = await issue();
    await authenticator.authenticate(token);
    end = 'revoked';
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({
      code: 'session_ended',
      members: { reason: 'revoked' },
    });
  });

  it('tells an evicted session that it was evicted, and nothing to an invalid token', async () => {
    end = 'evicted';
    await expect(authenticator.authenticate(await issue())).rejects.toMatchObject({
      code: 'session_evicted',
      kind: 'unauthenticated',
    });
    const forged = authenticator.authenticate(await forge({ key: other.privateKey }));
    await expect(forged).rejects.toThrow(TokenInvalidError);
  });

  it('checks the expiry of a token it remembers', async () => {
    const token = await forge({ expires: Math.floor(Date.now() / 1_000) - 3 });
    await expect(authenticator.authenticate(token)).resolves.toEqual(ADA);
    const now = Date.now;
    Date.now = () => now() + 10_000;
    try {
      await expect(authenticator.authenticate(token)).rejects.toThrow(TokenExpiredError);
    } finally {
      Date.now = now;
    }
  });

  it.each<[string, Forgery]>([
    ['another key', { key: other.privateKey }],
    ['an unknown key id', { header: { kid: 'k2' } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['another algorithm of the same key', { header: { alg: 'RS512' } }],
    ['another issuer', { issuer: 'https://elsewhere.example' }],
    ['another audience', { audience: 'somebody-else' }],
    ['a time that has not come', { claims: { nbf: Math.floor(Date.now() / 1_000) + 600 } }],
    ['no session', { claims: { sid: undefined } }],
    ['an unknown role', { claims: { role: 'ROOT' } }],
    ['a subject that is no text', { claims: { sub: undefined } }],
  ])('refuses a token with %s', async (_name, forgery) => {
    await expect(authenticator.authenticate(await forge(forgery))).rejects.toThrow(TokenInvalidError);
  });

  const eddsa = (forgery: Forgery = {}): Promise<string> =>
    forge({ key: ed25519.privateKey, ...forgery, header: { alg: 'EdDSA', kid: 'e1', ...forgery.header } });

  it('knows the person behind a token signed with Ed25519, too', async () => {
    await expect(authenticator.authenticate(await eddsa())).resolves.toEqual(ADA);
  });

  it.each<[string, Forgery]>([
    ['another key', { key: generateKeyPairSync('ed25519').privateKey }],
    ['another type', { header: { typ: 'JWT' } }],
    ['another issuer', { issuer: 'https://elsewhere.example' }],
    ['another audience', { audience: 'somebody-else' }],
    ['no session', { claims: { sid: undefined } }],
    ['the kid of an RSA key', { header: { kid: 'k1' } }],
  ])('refuses an Ed25519 token with %s', async (_name, forgery) => {
    await expect(authenticator.authenticate(await eddsa(forgery))).rejects.toThrow(TokenInvalidError);
  });

  it.each<[string, Forgery, typeof forge]>([
    ['RS256', {}, forge],
    ['EdDSA', {}, eddsa],
    ['a key that is forgotten by now', { header: { kid: 'k0' } }, forge],
  ])('tells a token that has expired from one that never stood: %s', async (_name, forgery, make) => {
    const past = await make({ ...forgery, expires: Math.floor(Date.now() / 1_000) - 60 });
    await expect(authenticator.authenticate(past)).rejects.toThrow(TokenExpiredError);
    const changed = `${past.slice(0, -8)}AAAAAAAA`;
    const verdict = forgery.header ? TokenExpiredError : TokenInvalidError;
    await expect(authenticator.authenticate(changed)).rejects.toThrow(verdict);
  });

  it('never lets a token choose its algorithm: not RS256 for an Ed25519 key, no HMAC over a public key', async () => {
    const claims = { header: { kid: 'e1' } };
    await expect(authenticator.authenticate(await forge(claims))).rejects.toThrow(TokenInvalidError);
    for (const [kid, key] of [['k1', createPublicKey(privateKey)] as const, ['e1', ed25519.publicKey] as const]) {
      const secret = createSecretKey(Buffer.from(key.export({ format: 'pem', type: 'spki' }).toString()));
      const token = await forge({ header: { alg: 'HS256', kid }, key: secret });
      await expect(authenticator.authenticate(token)).rejects.toThrow(TokenInvalidError);
    }
  });

  it('asks for certainty about the session only when it is told to', async () => {
    const token = await issue();
    await authenticator.authenticate(token);
    await authenticator.authenticate(token, { certain: true });
    expect(asked).toEqual([{ certain: false }, { certain: true }]);
  });

  it.each([
    ['nothing', ''],
    ['no token', 'hello'],
    ['an unsigned one', `${Buffer.from('{"alg":"none","kid":"k1","typ":"at+jwt"}').toString('base64url')}.e30.`],
    ['one of an unknown key, whose claims cannot be read', `${UNKNOWN_KEY}.x.x`],
    ['one of an unknown key, which says no time', `${UNKNOWN_KEY}.e30.x`],
    ['one that is far too long', `a.${'b'.repeat(5_000)}.c`],
  ])('refuses %s', async (_name, token) => {
    await expect(authenticator.authenticate(token)).rejects.toThrow(TokenInvalidError);
  });

  it('passes on that the keys could not be looked up, instead of calling the token bad', async () => {
    lookUp = () => Promise.reject(new Error('the database is away'));
    await expect(authenticator.authenticate(await issue())).rejects.toThrow('the database is away');
  });
});
