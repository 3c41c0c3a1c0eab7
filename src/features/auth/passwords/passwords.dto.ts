import { IsString, Length, MaxLength, MinLength } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { NormalizeNfc } from '../../../platform/http/members/normalize-nfc.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';

/** The current password and the next one. */
export class ChangePasswordDto {
  /**
   * As it was chosen.
   * @example "tangerine harbour plumage 47"
   */
  @NormalizeNfc()
  @IsString()
  @Length(1, 128)
  @OftenCalled('oldPassword', 'password')
  currentPassword!: string;

  /**
   * 12 to 128 characters after NFC. Refused (422 `weak_password`): what attackers try first, also varied, what
   * contains the username or the name in the e-mail address, and what is little more than other names of the person or
   * of this service. A few unrelated words are good; nothing has to be a digit or a sign.
   * @example "quiet lantern meadow 12"
   */
  @NormalizeNfc()
  @IsString()
  @Length(12, 128)
  newPassword!: string;
}

/** Whose password is forgotten. */
export class ForgotPasswordDto {
  /**
   * E-mail address or username, in any case.
   * @example ada@example.com
   */
  @IsString()
  @MinLength(1)
  @MaxLength(254)
  @OftenCalled('email', 'username', 'login', 'user', 'mail')
  identifier!: string;

  /**
   * What an earlier login on this device answered. While the password and the names of the account are those of that login,
   * strangers who ask for links over and over do not use up what is mailed here. Web clients leave it out: theirs comes from
   * the cookie.
   * @example 9k2mC3vQdW8qz1l0c4b7Z2Y1x0w9v8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3f2e1
   */
  @IfGiven()
  @IsString()
  @Length(64, 64)
  knownDevice?: string;
}

/** The token of a mailed link and the next password. */
export class ResetPasswordDto {
  /**
   * From the link: what follows `#token=`. Good once, for an hour; a week for the first password of an account.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  @OftenCalled('code')
  token!: string;

  /**
   * As in `POST /auth/password`.
   * @example "quiet lantern meadow 12"
   */
  @NormalizeNfc()
  @IsString()
  @Length(12, 128)
  @OftenCalled('password')
  newPassword!: string;
}

/** The token of a refused login and the next password. */
export class CompletePasswordChangeDto {
  /**
   * From the refusal of the login (403 `password_change_required`). Good once, for ten minutes.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  @OftenCalled('token', 'code')
  changeToken!: string;

  /**
   * As in `POST /auth/password`.
   * @example "quiet lantern meadow 12"
   */
  @NormalizeNfc()
  @IsString()
  @Length(12, 128)
  @OftenCalled('password')
  newPassword!: string;
}

/** The token of a mailed link that confirms a new password. */
export class ConfirmUnlockDto {
  /**
   * From the link: what follows `#token=`. Good once, for a day.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  @OftenCalled('code')
  token!: string;
}

/** The password was changed. */
export class PasswordChangedDto {
  /**
   * Present it as `knownDevice` at each refresh and at the next login: the change made earlier ones invalid. Left out for web
   * clients (`X-Client-Type: web`), who get it as a cookie.
   * @example 9k2mC3vQdW8qz1l0c4b7Z2Y1x0w9v8u7t6s5r4q3p2o1n0m9l8k7j6i5h4g3f2e1
   */
  knownDevice?: string;
}
