import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
} from 'class-validator';
import { type PlatformRole, PLATFORM_ROLES } from '../../platform/auth/principal.js';
import { IfGiven } from '../../platform/http/if-given.js';
import { FieldErrorDto } from '../../platform/http/problem.dto.js';
import { notVisible, VISIBLE } from '../../platform/http/visible-text.js';
import { RESET_MEANS, type ResetMeans } from '../auth/passwords/password-reset.service.js';
import { BATCH_MODES, type BatchMode, MAX_BATCH, type RowResult } from './bulk-outcomes.js';
import type { ImportResult } from './users-import.service.js';

/** An account to be made; its owner chooses a password by a mailed link. */
export class NewAccountDto {
  /**
   * Kept in lower case.
   * @example ada@example.com
   */
  @IsEmail()
  @MaxLength(254)
  email!: string;

  /**
   * Second name to sign in with: 3 to 32 of `a-z 0-9 . _ -`, a letter or digit at both ends. Kept in lower case.
   * @example ada
   */
  @IsOptional()
  @IsString()
  @Matches(/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,30}[a-zA-Z0-9]$/, {
    message: 'username must have 3 to 32 of a-z 0-9 . _ -, with a letter or digit at both ends',
  })
  username?: string | null;

  /**
   * What others see; the username, or the name in the e-mail address, if it is left out.
   * @example "Ada Lovelace"
   */
  @IfGiven()
  @IsString()
  @MaxLength(100)
  @Matches(VISIBLE, notVisible)
  displayName?: string;

  /** `USER`, if it is left out. */
  @IfGiven()
  @IsIn(PLATFORM_ROLES)
  role?: PlatformRole;
}

/** An account that was made; look at it with `GET /users/{userId}`. */
export class CreatedAccountDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;
}

/** The role an account is to have. */
export class ChangePlatformRoleDto {
  /**
   * `ADMIN` manages accounts and operations; it opens nobody's door.
   * @example ADMIN
   */
  @IsIn(PLATFORM_ROLES)
  role!: PlatformRole;
}

/** How an administrator lets somebody in again. */
export class AdminResetPasswordDto {
  /**
   * `link`: the person chooses a password by a mailed link. `one_time_password`: one that the administrator hands over;
   * it is good for one login within 24 hours (`ONE_TIME_PASSWORD_EXPIRY`) that chooses another. Then reset it again.
   * @example link
   */
  @IsIn(RESET_MEANS)
  means!: ResetMeans;
}

/** What became of the reset. */
export class AdminResetDto {
  /**
   * Shown once; null where a link was mailed.
   * @example k7mw3xq2v9bc4tyh8npa
   */
  oneTimePassword!: string | null;
}

/** Accounts to be made. */
export class CreateAccountsDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_BATCH)
  @ApiProperty({ type: () => [NewAccountDto] })
  users!: unknown[];

  /** `all`: every row, or none. `per_row`: those that can be done. */
  @IfGiven()
  @IsIn(BATCH_MODES)
  mode: BatchMode = 'all';
}

/** Accounts to be deleted. */
export class DeleteAccountsDto {
  /** @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"] */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_BATCH)
  @ArrayUnique()
  @IsUUID('all', { each: true })
  ids!: string[];

  /** `all`: every row, or none. `per_row`: those that can be done. */
  @IfGiven()
  @IsIn(BATCH_MODES)
  mode: BatchMode = 'all';
}

/** What became of one row. */
export class RowResultDto {
  /**
   * Which one, counted from 0.
   * @example 0
   */
  index!: number;

  /** @example done */
  status!: 'done' | 'refused';

  /**
   * Of the account; null where none was made or found.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  id!: string | null;

  /**
   * Why it was refused.
   * @example email_taken
   */
  code!: string | null;

  /** What is wrong with its members (`invalid_row`); empty otherwise. */
  errors!: FieldErrorDto[];
}

/** What became of each row, in their order. */
export class BatchResultDto {
  /** @example 1 */
  done!: number;

  /** @example 0 */
  refused!: number;

  results!: RowResultDto[];
}

export class ImportQueryDto {
  /** Only say what would happen. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => ({ true: true, false: false })[String(value)] ?? value)
  @IsBoolean()
  dryRun?: boolean;

  /** `all`: every line, or none. `per_row`: those that can be imported. */
  @IsOptional()
  @IsIn(BATCH_MODES)
  mode: BatchMode = 'per_row';
}

/** What became of one line. */
export class ImportedLineDto {
  /**
   * In CSV the line it begins on, counted from 1 with the header; in JSON its place, counted from 1.
   * @example 2
   */
  line!: number;

  /** @example done */
  status!: 'done' | 'refused';

  /**
   * Of the account; null where none was made.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  id!: string | null;

  /** Empty where nothing is wrong with it. */
  errors!: FieldErrorDto[];
}

/** What became of each line, or would become of it in a dry run. */
export class ImportResultDto {
  dryRun!: boolean;

  /** @example 1 */
  done!: number;

  /** @example 0 */
  refused!: number;

  lines!: ImportedLineDto[];
}

export function toBatchResultDto(results: readonly RowResult[]): Readonly<BatchResultDto> {
  const done = results.filter(({ code }) => code === null).length;
  return {
    done,
    refused: results.length - done,
    results: results.map(({ id, code, errors }, index) => ({
      index,
      status: code === null ? 'done' : 'refused',
      id,
      code,
      errors: errors.map(({ detail, pointer }) => ({ detail, pointer })),
    })),
  };
}

export function toImportResultDto({ dryRun, lines }: ImportResult): Readonly<ImportResultDto> {
  const done = lines.filter(({ errors }) => errors.length === 0).length;
  return {
    dryRun,
    done,
    refused: lines.length - done,
    lines: lines.map(({ line, id, errors }) => ({
      line,
      status: errors.length === 0 ? 'done' : 'refused',
      id: dryRun ? null : id,
      errors: errors.map(({ detail, pointer }) => ({ detail, pointer })),
    })),
  };
}
