import { Body, Controller, Get, Param, ParseUUIDPipe, Patch, Query, UseInterceptors } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../platform/http/conditional/version-tag.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { filterOf, lookAtAccounts, UserDirectoryService } from '../users/user-directory.service.js';
import {
  FoundUsersDto,
  ListUsersQueryDto,
  ManagedUserDto,
  ManagedUserPageDto,
  SearchUsersQueryDto,
  toListedUserDto,
  toManagedUserDto,
  UpdateUserDto,
} from './user-directory.dto.js';
import { UserAdminService } from './user-admin.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  AccountChangedError,
  AccountStateError,
  EmailTakenError,
  UserNotFoundError,
  UsernameTakenError,
} from '../users/users.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';

/** A login changes no tag: logins, and attempts that failed, are readings of an account in a list. */
const OF_ACCOUNTS = { category: 'users', tags: () => ['accounts'], hasReadings: () => true } as const;

@ApiTags('User management')
@Controller('users')
@RateLimit('admin')
export class UserDirectoryController {
  constructor(
    private readonly directory: UserDirectoryService,
    private readonly users: UserAdminService,
  ) {}

  /** List accounts, filtered and in any order. */
  @Get()
  @Authorize('admin')
  @Audit('users_read')
  @Cached({ ...OF_ACCOUNTS, recordHit: (query: ListUsersQueryDto) => lookAtAccounts(filterOf(query)) })
  @Refuses(InvalidCursorError)
  async list(@Query() { fields, ...query }: ListUsersQueryDto): Promise<ManagedUserPageDto> {
    const { items, nextCursor } = await this.directory.list(query);
    return { items: items.map((account) => toListedUserDto(account, fields)), nextCursor };
  }

  /** Find accounts by a part of any of their names, the best matches first. */
  @Get('search')
  @Authorize('admin')
  @Audit('users_read')
  @Cached({ ...OF_ACCOUNTS, recordHit: ({ q }: SearchUsersQueryDto) => lookAtAccounts({ q }) })
  async search(@Query() { q, limit }: SearchUsersQueryDto): Promise<FoundUsersDto> {
    return { items: (await this.directory.search(q, limit)).map(toManagedUserDto) };
  }

  /** One account, with its version as `ETag`. */
  @Get(':userId')
  @Authorize('admin')
  @Audit('users_read')
  @ReadVersioned()
  @Refuses(UserNotFoundError)
  async get(@Param('userId', ParseUUIDPipe) userId: string): Promise<ManagedUserDto> {
    return toManagedUserDto(await this.directory.get(userId));
  }

  /**
   * Change the names of an account. With `If-Match`, only a version it names. Another e-mail address ends all sessions
   * and revokes every mailed link; the old one gets a notice, and an account without a password is invited again.
   */
  @Patch(':userId')
  @Authorize('admin')
  @Audit('user_updated')
  @TakesIfMatch(AccountChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(UserNotFoundError, EmailTakenError, UsernameTakenError, AccountStateError)
  async update(
    @Param('userId', ParseUUIDPipe) userId: string,
    @Body() changes: UpdateUserDto,
    @CurrentUser() admin: Principal,
    @IfMatch() versions?: number[],
  ): Promise<ManagedUserDto> {
    return toManagedUserDto(await this.users.update(userId, changes, admin, versions));
  }
}
