import { IsString, Length } from 'class-validator';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';

/** The token of a mailed link. */
export class ConfirmEmailDto {
  /** @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA */
  @IsString()
  @Length(1, 128)
  @OftenCalled('code')
  token!: string;
}
