import { IsString, Length } from 'class-validator';
import { Composed } from '../composed.decorator.js';

/** For who has the link of a mail. */
export class ConfirmRegistrationDto {
  /**
   * From the link: what follows `#token=`. Good once, for a day.
   * @example 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
   */
  @IsString()
  @Length(43, 43)
  token!: string;

  /**
   * The one that was typed with this registration: whoever only has the mailbox has not asked for this account.
   * @example "tangerine harbour plumage 47"
   */
  @Composed()
  @IsString()
  @Length(1, 128)
  password!: string;
}
