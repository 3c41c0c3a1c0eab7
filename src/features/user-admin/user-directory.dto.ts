import { applyDecorators } from '@nestjs/common';
import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { type PlatformRole, PLATFORM_ROLES } from '../../platform/auth/principal.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { IsEmailAddress } from '../../platform/http/members/email-address.decorator.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { PageSize } from '../../platform/http/page-size.js';
import { IsTimestamp } from '../../platform/http/members/timestamp.validator.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../shared/paging.js';
import { ACCOUNT_SORTS, type AccountSort } from '../users/user-directory.types.js';
import { toUserDto, UpdateMeDto, UserDto } from '../users/users.dto.js';
import { ACCOUNT_STATUSES, type Account, type AccountStatus } from '../users/users.types.js';

const MAX_SORTS = 3;
const MAX_MATCHES = 50;
const DEFAULT_MATCHES = 20;
/** Bounded, because each word is a condition of its own. */
const FEW_WORDS = /^\s*\S+(?:\s+\S+){0,7}\s*$/;
const manyWords = { message: 'must have at most 8 words' };

/** A list as `a,b`, or as repeated parameters. Of a longer text it keeps one name more than may be in it, which refuses it. */
const List = ({ max }: { max: number }): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',', max + 1) : value)),
    IsArray(),
    ArrayMaxSize(max),
  );

/** An account, as administrators see it. */
export class ManagedUserDto extends UserDto {
  /** @example active */
  status!: AccountStatus;

  /** False until its owner chose a password by the mailed link. */
  hasPassword!: boolean;

  /** @example 42 */
  loginCount!: number;

  /**
   * Failed logins since the last good one.
   * @example 0
   */
  failedAttempts!: number;

  /** RFC 3339; null when it is not blocked. */
  @ApiProperty({ format: 'date-time', example: null })
  blockedAt!: string | null;

  /** RFC 3339; null when it is not deleted. A deleted account can be restored. */
  @ApiProperty({ format: 'date-time', example: null })
  deletedAt!: string | null;
}

export const MANAGED_USER_FIELDS = [
  'id',
  'email',
  'username',
  'displayName',
  'role',
  'lastLoginAt',
  'version',
  'createdAt',
  'updatedAt',
  'status',
  'hasPassword',
  'loginCount',
  'failedAttempts',
  'blockedAt',
  'deletedAt',
] as const satisfies readonly (keyof ManagedUserDto)[];
export type ManagedUserField = (typeof MANAGED_USER_FIELDS)[number];

/** An account in a list: all of its members, or those that `fields` names. */
export class ListedUserDto extends PartialType(ManagedUserDto) {}

/** One page of accounts. */
export class ManagedUserPageDto {
  items!: ListedUserDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJ1c2VyczotY3JlYXRlZEF0IiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU1IiwiMjAyNi0xMS0yMFQxODowMDowMC4wMDBaIl0
   */
  nextCursor!: string | null;
}

/** The accounts that match best. */
export class FoundUsersDto {
  items!: ManagedUserDto[];
}

/** Which accounts; every filter that is given must match. */
export class UserFilterQueryDto {
  @IfGiven()
  @IsIn(PLATFORM_ROLES)
  role?: PlatformRole;

  @IfGiven()
  @IsIn(ACCOUNT_STATUSES)
  status?: AccountStatus;

  /** Created at or after this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  createdFrom?: string;

  /** Created before this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  createdTo?: string;

  /** Last login at or after this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  lastLoginFrom?: string;

  /** Last login before this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  lastLoginTo?: string;

  /**
   * Up to eight words, each of them part of the e-mail address, username or display name, in any case.
   * @example lovelace
   */
  @IfGiven()
  @IsVisibleText()
  @Matches(FEW_WORDS, manyWords)
  q?: string;
}

export class ListUsersQueryDto extends UserFilterQueryDto implements PageQueryDto {
  /** Most items in the answer. */
  @PageSize(MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE)
  limit: number = DEFAULT_PAGE_SIZE;

  /** `nextCursor` of the page before; opaque. */
  @IfGiven()
  @IsString()
  @MaxLength(1_024)
  cursor?: string;

  /**
   * Up to three keys, the most important first, separated by commas; descending with a leading minus.
   * @example ["-createdAt", "email"]
   */
  @IfGiven()
  @List({ max: MAX_SORTS })
  @ArrayUnique((name: unknown) => String(name).replace('-', ''))
  @IsIn(ACCOUNT_SORTS, { each: true })
  sort: AccountSort[] = ['-createdAt'];

  /**
   * Only these members, separated by commas.
   * @example ["id", "email"]
   */
  @IfGiven()
  @List({ max: MANAGED_USER_FIELDS.length })
  @ArrayUnique()
  @IsIn(MANAGED_USER_FIELDS, { each: true })
  fields?: ManagedUserField[];
}

export class SearchUsersQueryDto {
  /**
   * Up to eight words, each of them part of the e-mail address, username or display name, in any case.
   * @example lovelace
   */
  @IsVisibleText({ min: 2 })
  @Matches(FEW_WORDS, manyWords)
  q!: string;

  /** Most items in the answer. */
  @PageSize(MAX_MATCHES, DEFAULT_MATCHES)
  limit: number = DEFAULT_MATCHES;
}

export const EXPORT_FORMATS = ['csv', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export class ExportUsersQueryDto extends UserFilterQueryDto {
  /** `csv` (RFC 4180) or `json`. */
  @IfGiven()
  @IsIn(EXPORT_FORMATS)
  format: ExportFormat = 'csv';
}

/** Only what is given changes. */
export class UpdateUserDto extends UpdateMeDto {
  /**
   * Kept in lower case, its domain as in the DNS (`xn--…`). It counts as confirmed by the administrator.
   * @example ada@example.com
   */
  @IfGiven()
  @IsEmailAddress()
  email?: string;
}

export function toManagedUserDto(account: Account): Readonly<ManagedUserDto> {
  return {
    ...toUserDto(account),
    status: account.status,
    hasPassword: account.hasPassword,
    loginCount: account.loginCount,
    failedAttempts: account.failedAttempts,
    blockedAt: account.blockedAt?.toISOString() ?? null,
    deletedAt: account.deletedAt?.toISOString() ?? null,
  };
}

export function toListedUserDto(account: Account, fields?: readonly ManagedUserField[]): Readonly<ListedUserDto> {
  const dto = toManagedUserDto(account);
  return fields ? Object.fromEntries(fields.map((field) => [field, dto[field]])) : dto;
}
