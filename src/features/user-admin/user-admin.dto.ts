import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Matches } from 'class-validator';
import { type PlatformRole, PLATFORM_ROLES } from '../../platform/auth/principal.js';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { IsEmailAddress } from '../../platform/http/members/email-address.decorator.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import { noUsername, USERNAME } from '../users/users.dto.js';
import { RESET_MEANS, type ResetMeans } from './password-reset.service.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** An account to be made; its owner chooses a password by a mailed link. */
export class NewAccountDto {
  /**
   * Kept in lower case, its domain as in the DNS (`xn--…`).
   * @example ada@example.com
   */
  @IsEmailAddress()
  @OftenCalled('mail', 'identifier')
  email!: string;

  /**
   * Second name to sign in with: 3 to 32 of `a-z 0-9 . _ -`, a letter or digit at both ends. Kept in lower case. Null,
   * as when left out: none.
   * @example ada
   */
  @OrNull()
  @IsString()
  @Matches(USERNAME, noUsername)
  @ApiPropertyOptional({ type: String, nullable: true, pattern: USERNAME.source })
  username?: string | null;

  /**
   * What others see; the username, or the name in the e-mail address, if it is left out.
   * @example "Ada Lovelace"
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('name', 'fullName')
  displayName?: string;

  /** `USER`, if it is left out. */
  @IfGiven()
  @IsIn(PLATFORM_ROLES)
  role?: PlatformRole;
}

/** An account that was made; look at it with `GET /users/{userId}`. */
export class CreatedAccountDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;
}

/** The role an account is to have. */
export class ChangePlatformRoleDto {
  /**
   * `ADMIN` manages accounts and operations, `MAKER` loads devices into the inventory; neither opens any door.
   * @example MAKER
   */
  @IsIn(PLATFORM_ROLES)
  role!: PlatformRole;
}

/** How the person gets the next password. */
export class AdminResetPasswordDto {
  /**
   * `link`: the person chooses a password by a mailed link. `one_time_password`: one that the administrator hands over;
   * it is good for one login within 24 hours (`ONE_TIME_PASSWORD_EXPIRY`) that chooses another. After that, reset again.
   * @example link
   */
  @IsIn(RESET_MEANS)
  means!: ResetMeans;
}

/** The result of a reset. */
export class AdminResetDto {
  /**
   * Shown once; null where a link was mailed.
   * @example k7mw3xq2v9bc4tyh8npa
   */
  oneTimePassword!: string | null;
}
