import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import { noUsername, USERNAME } from '../../users/users.dto.js';
import { NormalizeNfc } from '../../../platform/http/members/normalize-nfc.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';

/** An account to be made. */
export class RegisterDto {
  /**
   * Kept in lower case, its domain as in the DNS (`xn--…`).
   * @example ada@example.com
   */
  @IsEmailAddress()
  @OftenCalled('mail', 'identifier')
  email!: string;

  /**
   * Second name to sign in with: 3 to 32 of `a-z 0-9 . _ -`, a letter or digit at both ends. Kept in lower case.
   * @example ada
   */
  @IfGiven()
  @IsString()
  @Matches(USERNAME, noUsername)
  @ApiPropertyOptional({ type: String, pattern: USERNAME.source })
  @OftenCalled('user', 'login')
  username?: string;

  /**
   * 12 to 128 characters after NFC. Refused (422 `weak_password`): what attackers try first, also varied, what
   * contains the username or the name in the e-mail address, and what is little more than other names of the person or
   * of this service. A few unrelated words are good; nothing has to be a digit or a sign.
   * @example "tangerine harbour plumage 47"
   */
  @NormalizeNfc()
  @IsString()
  @Length(12, 128)
  @OftenCalled('pass', 'pwd')
  password!: string;

  /**
   * What others see; the username, or the name in the e-mail address, if it is left out.
   * @example "Ada Lovelace"
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('name', 'fullName', 'nickname')
  displayName?: string;
}

/** The token of a mailed link, and the password again. */
export class ConfirmRegistrationDto {
  /**
   * From the link: what follows `#token=`. Good once, for a day.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  @OftenCalled('code')
  token!: string;

  /**
   * The password of this registration. It shows that the person who has the mailbox also asked for this account.
   * @example "tangerine harbour plumage 47"
   */
  @NormalizeNfc()
  @IsString()
  @Length(1, 128)
  password!: string;
}
