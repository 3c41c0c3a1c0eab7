import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { type PlatformRole } from '../../platform/auth/principal.js';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import { USERNAME_RULE } from './domain/names.js';
import type { Account } from './users.types.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** A username as it is typed; it is kept in lower case. */
export const USERNAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,30}[a-zA-Z0-9]$/;
export const noUsername = { message: USERNAME_RULE };

/** An account, as its owner sees it. */
export class UserDto {
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
   * RFC 3339; null before the first login.
   * @example 2026-11-20T18:00:00.000Z
   */
  lastLoginAt!: string | null;

  /**
   * Grows with every change; also the `ETag`.
   * @example 3
   */
  version!: number;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  updatedAt!: string;
}

/** Only what is given changes. */
export class UpdateMeDto {
  /**
   * What others see.
   * @example "Ada Lovelace"
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('name', 'fullName', 'nickname')
  displayName?: string;

  /**
   * Second name to sign in with: 3 to 32 of `a-z 0-9 . _ -`, a letter or digit at both ends. Null takes it away.
   * @example ada
   */
  @OrNull()
  @IsString()
  @Matches(USERNAME, noUsername)
  @ApiPropertyOptional({ type: String, nullable: true, pattern: USERNAME.source })
  username?: string | null;
}

export function toUserDto(account: Account): Readonly<UserDto> {
  return {
    id: account.id,
    email: account.email,
    username: account.username,
    displayName: account.displayName,
    role: account.role,
    lastLoginAt: account.lastLoginAt?.toISOString() ?? null,
    version: account.version,
    createdAt: account.createdAt.toISOString(),
    updatedAt: account.updatedAt.toISOString(),
  };
}
