import { IsString, Length } from 'class-validator';
import { IsEmailAddress } from '../../platform/http/members/email-address.decorator.js';
import { NormalizeNfc } from '../../platform/http/members/normalize-nfc.decorator.js';

/** My password, because an access token alone is not enough. */
export class PasswordAgainDto {
  /**
   * My password.
   * @example "tangerine harbour plumage 47"
   */
  @NormalizeNfc()
  @IsString()
  @Length(1, 128)
  password!: string;
}

/** The e-mail address that I want to have. */
export class ChangeEmailDto extends PasswordAgainDto {
  /**
   * A link to confirm it is mailed there.
   * @example ada@example.org
   */
  @IsEmailAddress()
  email!: string;
}
