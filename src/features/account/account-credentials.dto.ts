import { IsEmail, IsString, Length, MaxLength } from 'class-validator';

/** Proof that it is me who asks. */
export class PasswordAgainDto {
  /**
   * My password.
   * @example "tangerine harbour plumage 47"
   */
  @IsString()
  @Length(1, 128)
  password!: string;
}

/** The address I want to have. */
export class ChangeEmailDto extends PasswordAgainDto {
  /**
   * A link to confirm it is mailed there.
   * @example ada@example.org
   */
  @IsEmail()
  @MaxLength(254)
  email!: string;
}
