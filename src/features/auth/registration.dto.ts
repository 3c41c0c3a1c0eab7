import { IsString, Length } from 'class-validator';

/** For who has the link of a mail. */
export class ConfirmRegistrationDto {
  /**
   * From the link: what follows `#token=`. Good once, for a day.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  token!: string;
}
