import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { AppConfig } from '../../config/app-config.js';
import { KeyStore } from '../keys/key-store.js';
import type { Principal } from './principal.js';

/** `typ` of an access token (RFC 9068, section 2.1): an ID token or a refresh token cannot pass for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
export const ACCESS_TOKEN_AUDIENCE = 'mortise';

/** Issues access tokens: JWTs (RFC 9068) that name a session and live for minutes. */
@Injectable()
export class AccessTokenFactory {
  constructor(
    private readonly config: AppConfig,
    private readonly keys: KeyStore,
  ) {}

  async sign(principal: Principal): Promise<{ token: string; expiresInSeconds: number }> {
    const { kid, alg, privateKey } = await this.keys.signingKey('access_token');
    const expiresInSeconds = Math.floor(this.config.tokens.accessTtlMs / 1_000);
    const token = await new SignJWT({ sid: principal.sessionId, role: principal.role })
      .setProtectedHeader({ alg, kid, typ: ACCESS_TOKEN_TYPE })
      .setSubject(principal.userId)
      .setIssuer(this.config.http.publicUrl)
      .setAudience(ACCESS_TOKEN_AUDIENCE)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${String(expiresInSeconds)}s`)
      .sign(privateKey);
    return { token, expiresInSeconds };
  }
}
