import { Matches } from 'class-validator';

/** What a link has, as it was given out. */
export class ExportLinkQueryDto {
  /**
   * Until when, in seconds since 1970.
   * @example 1764576183
   */
  @Matches(/^\d{1,12}$/, { message: 'must be as the link has it' })
  expires!: string;

  /** @example 3q2-7wAAAAA3q2-7wAAAAA3q2-7wAAAAA3q2-7wAAAA */
  @Matches(/^[\w-]{43}$/, { message: 'must be as the link has it' })
  signature!: string;
}
