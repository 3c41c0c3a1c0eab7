import { IsString, Length } from 'class-validator';

/** The token of a mailed link. */
export class ConfirmEmailDto {
  /** @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA */
  @IsString()
  @Length(1, 128)
  token!: string;
}
