import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsBoolean, IsIn } from 'class-validator';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { AreIds } from '../../platform/http/members/id.decorator.js';
import { FieldErrorDto } from '../../platform/http/problems/problem.dto.js';
import { BULK_MODES, type BulkMode, MAX_BULK_ROWS, type RowResult } from './bulk-users.types.js';
import { NewAccountDto } from './user-admin.dto.js';
import type { ImportResult } from './users-import.service.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** Accounts to be made. */
export class CreateAccountsDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_BULK_ROWS)
  @ApiProperty({ type: () => [NewAccountDto] })
  @OftenCalled('accounts', 'rows', 'items')
  users!: unknown[];

  /** `all`: every row, or none. `per_row`: those that can be done. */
  @ApiPropertyOptional()
  @IfGiven()
  @IsIn(BULK_MODES)
  mode: BulkMode = 'all';
}

/** Accounts to be deleted. */
export class DeleteAccountsDto {
  /** @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"] */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_BULK_ROWS)
  @ArrayUnique()
  @AreIds()
  @OftenCalled('userIds', 'users')
  ids!: string[];

  /** `all`: every row, or none. `per_row`: those that can be done. */
  @ApiPropertyOptional()
  @IfGiven()
  @IsIn(BULK_MODES)
  mode: BulkMode = 'all';
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

  /** Why it was refused, such as `email_taken`; null where it was done. */
  @ApiProperty({ example: null })
  code!: string | null;

  /**
   * What is wrong with its members (`invalid_row`); empty otherwise.
   * @example []
   */
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
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => ({ true: true, false: false })[String(value)] ?? value)
  @IsBoolean()
  dryRun?: boolean;

  /** `all`: every line, or none. `per_row`: those that can be imported. */
  @ApiPropertyOptional()
  @IfGiven()
  @IsIn(BULK_MODES)
  mode: BulkMode = 'per_row';
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

  /**
   * Empty where nothing is wrong with it.
   * @example []
   */
  errors!: FieldErrorDto[];
}

/** What became of each line, or would become of it in a dry run. */
export class ImportResultDto {
  /** @example false */
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
