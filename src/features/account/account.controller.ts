import { Body, Controller, Get, Patch, Query, UseInterceptors } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuditReader } from '../../platform/audit/audit-reader.js';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import { FormerlyAt } from '../../platform/http/routes/formerly-at.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { VersionTagInterceptor } from '../../platform/http/conditional/version-tag.interceptor.js';
import { ActivityPageDto, toActivityPageDto } from './activity.dto.js';
import { PreferencesService } from './preferences.service.js';
import { PreferencesDto, toPreferencesDto, UpdatePreferencesDto } from './preferences.dto.js';
import { toUserDto, UpdateMeDto, UserDto } from '../users/users.dto.js';
import { UsersService } from '../users/users.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { AccountChangedError, UsernameTakenError } from '../users/users.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';

/** Each session does it every quarter of an hour, and who holds a stolen token must not read here when. */
const ROUTINE = ['session_refreshed'] as const;

const tagsOfAccount = (userId: string): string[] => [`account:${userId}`];

@ApiTags('My account')
@Controller('users/me')
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly preferences: PreferencesService,
    private readonly activity: AuditReader,
  ) {}

  /** My own account, with its version as `ETag`. */
  @Get()
  @Authorize()
  @FormerlyAt('/auth/profile', '/auth/me', '/user/profile')
  @Cached({ category: 'users', tags: tagsOfAccount, isVersioned: true })
  async me(@CurrentUser() user: Principal): Promise<UserDto> {
    return toUserDto(await this.users.getAccount(user.userId));
  }

  /** Change my names. The e-mail address has a route of its own, because it must be confirmed. */
  @Patch()
  @Authorize()
  @Audit('profile_updated')
  @TakesIfMatch(AccountChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(UsernameTakenError)
  async update(
    @CurrentUser() user: Principal,
    @Body() changes: UpdateMeDto,
    @IfMatch() versions?: number[],
  ): Promise<UserDto> {
    return toUserDto(await this.users.update(user.userId, changes, versions));
  }

  /** My preferences: how the apps look, and how I am notified. */
  @Get('preferences')
  @Authorize()
  @Cached({ category: 'users', tags: tagsOfAccount })
  async getPreferences(@CurrentUser() user: Principal): Promise<PreferencesDto> {
    return toPreferencesDto(await this.preferences.get(user.userId));
  }

  /** Change my preferences. */
  @Patch('preferences')
  @Authorize()
  @Audit('preferences_updated')
  async updatePreferences(
    @CurrentUser() user: Principal,
    @Body() changes: UpdatePreferencesDto,
  ): Promise<PreferencesDto> {
    return toPreferencesDto(await this.preferences.update(user.userId, changes));
  }

  /** What I did, and what others did to my account, newest first. Refreshes are left out, unless a token came back. */
  @Get('activity')
  @Authorize()
  @Refuses(InvalidCursorError)
  async listActivity(@CurrentUser() { userId }: Principal, @Query() page: PageQueryDto): Promise<ActivityPageDto> {
    return toActivityPageDto(await this.activity.pageOfPerson(userId, page, ROUTINE), userId);
  }
}
