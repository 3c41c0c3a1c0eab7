import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, Length, Matches, MaxLength, MinLength } from 'class-validator';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { notVisible, VISIBLE } from '../../platform/http/visible-text.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import type { User } from '../users/users.types.js';
import type { SignedIn, TokenPair } from './auth.types.js';
import { NormalizeNfc } from '../../platform/http/members/normalize-nfc.decorator.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** What a person signs in with. */
export class LoginDto {
  /**
   * E-mail address or username, in any case.
   * @example ada@example.com
   */
  @IsString()
  @MaxLength(254)
  @Matches(VISIBLE, notVisible)
  @OftenCalled('email', 'username', 'login', 'user', 'mail', 'name')
  identifier!: string;

  /**
   * As it was chosen.
   * @example "tangerine harbour plumage 47"
   */
  @NormalizeNfc()
  @IsString()
  @Length(1, 128)
  @OftenCalled('pass', 'pwd')
  password!: string;

  /**
   * What an earlier login on this device answered. With it, guesses that strangers make elsewhere do not lock this device out.
   * @example 9k2mC3vQdW8qz1l0c4b7Z2Y1x0w9v8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3f2e1
   */
  @IfGiven()
  @IsString()
  @Length(64, 64)
  knownDevice?: string;

  /**
   * Keeps the session for 30 days instead of 7 (as configured), counted from its last refresh.
   * @example false
   */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('stayLoggedIn', 'keepSignedIn')
  rememberMe?: boolean;
}

/** The refresh token to exchange. */
export class RefreshDto {
  /**
   * As the last login or refresh answered it; good for one use. Web clients (`X-Client-Type: web`) leave it out: theirs
   * comes from the cookie.
   * @example AZqfPmsafESdDi9vOhuMVQAAAAGKq8mJ3kq0cJ5z0yVd5cP0nX2c9J0S7o1t0v4t2yq8Ww
   */
  @ApiPropertyOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(512)
  @OftenCalled('token')
  refreshToken!: string;

  /**
   * What the login of this session answered, or the last change of the password. With it, a retry after a lost answer goes
   * on from another network, too. Web clients leave it out: theirs comes from the cookie.
   * @example 9k2mC3vQdW8qz1l0c4b7Z2Y1x0w9v8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3f2e1
   */
  @IfGiven()
  @IsString()
  @Length(64, 64)
  @OftenCalled('deviceToken')
  knownDevice?: string;
}

/** An account, as registration and login answer it; `GET /users/me` says more. */
export class AccountDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  /**
   * Lower case.
   * @example ada@example.com
   */
  email!: string;

  /**
   * Second name to sign in with; null where there is none.
   * @example ada
   */
  username!: string | null;

  /**
   * What others see.
   * @example "Ada Lovelace"
   */
  displayName!: string;

  /**
   * `ADMIN` manages accounts and operations, `MAKER` loads devices into the inventory; neither opens any door.
   * @example USER
   */
  role!: PlatformRole;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

/** A fresh pair of tokens. */
export class TokensDto {
  /**
   * JWT (RFC 9068), signed with RS256 or EdDSA; its keys are at `/.well-known/jwks.json`. Send it as `Authorization: Bearer …`.
   * @example eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl
   */
  accessToken!: string;

  /**
   * Opaque. Exchange it at `POST /auth/refresh` before the access token expires; each one is good for one use. Left
   * out for web clients (`X-Client-Type: web`): they get it as a cookie that no script can read.
   * @example AZqfPmsafESdDi9vOhuMVQAAAAGKq8mJ3kq0cJ5z0yVd5cP0nX2c9J0S7o1t0v4t2yq8Ww
   */
  refreshToken?: string;

  /** @example Bearer */
  tokenType!: 'Bearer';

  /**
   * Seconds until the access token expires.
   * @example 900
   */
  expiresIn!: number;

  /**
   * Seconds until the refresh token expires; each refresh starts them anew.
   * @example 604800
   */
  refreshExpiresIn!: number;
}

/** A new session. */
export class SignedInDto extends TokensDto {
  user!: AccountDto;

  /**
   * Keep it, and present it at each refresh and at the next login on this device. It opens nothing. Left out for web clients
   * (`X-Client-Type: web`), who get it as a cookie.
   * @example 9k2mC3vQdW8qz1l0c4b7Z2Y1x0w9v8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3f2e1
   */
  knownDevice?: string;
}

export function toAccountDto(user: User): Readonly<AccountDto> {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    displayName: user.displayName,
    role: user.role,
    createdAt: user.createdAt.toISOString(),
  };
}

export function toTokensDto(tokens: TokenPair): Readonly<TokensDto> {
  return {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    tokenType: 'Bearer',
    expiresIn: tokens.expiresInSeconds,
    refreshExpiresIn: tokens.refreshExpiresInSeconds,
  };
}

export function toSignedInDto(signedIn: SignedIn): Readonly<SignedInDto> {
  return { ...toTokensDto(signedIn), user: toAccountDto(signedIn.user), knownDevice: signedIn.knownDevice };
}
