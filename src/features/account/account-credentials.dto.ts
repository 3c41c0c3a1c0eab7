import { IsEmail, IsString, Length, MaxLength } from 'class-validator';
import { NormalizeNfc } from '../auth/normalize-nfc.decorator.js';

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
  @IsEmail()
  @MaxLength(254)
  email!: string;
}
