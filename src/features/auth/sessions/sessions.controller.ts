import { Controller, Delete, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Vital } from '../../../platform/http/admission/vital.decorator.js';
import { WithSessionCookie } from './session-cookie.interceptor.js';
import { EndedSessionsDto, SessionListDto, toSessionListDto } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';
import { AccessRevocationService } from './access-revocation.service.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SessionNotFoundError } from '../auth.errors.js';

@ApiTags('Authentication')
@Controller('auth')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly access: AccessRevocationService,
  ) {}

  /** Where you are signed in. */
  @Get('sessions')
  @Authorize()
  async list(@CurrentUser() user: Principal): Promise<SessionListDto> {
    return toSessionListDto(await this.sessions.list(user.userId), user);
  }

  /**
   * End one of your sessions: its tokens and sockets are refused from now on. A change of the e-mail address that is not
   * confirmed yet is over.
   */
  @Delete('sessions/:sessionId')
  @Vital()
  @Authorize()
  @Audit('session_revoked')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiParam({ name: 'sessionId', schema: { type: 'string', format: 'uuid' } })
  @ApiResponse({ status: 204, description: 'Ended.' })
  @Refuses(SessionNotFoundError)
  end(@CurrentUser() user: Principal, @Param('sessionId') sessionId: string): Promise<void> {
    return this.access.endSession(user.userId, sessionId);
  }

  /** End every session of yours, this one too. A change of the e-mail address that is not confirmed yet is over. */
  @Post('logout-all')
  @Vital()
  @Authorize()
  @Audit('sessions_revoked')
  @HttpCode(HttpStatus.OK)
  @WithSessionCookie()
  async logoutAll(@CurrentUser() user: Principal): Promise<EndedSessionsDto> {
    return { ended: await this.access.logoutAll(user, { others: false }) };
  }

  /** End every session of yours but this one. A change of the e-mail address that is not confirmed yet is over. */
  @Post('logout-others')
  @Vital()
  @Authorize()
  @Audit('sessions_revoked')
  @HttpCode(HttpStatus.OK)
  async logoutOthers(@CurrentUser() user: Principal): Promise<EndedSessionsDto> {
    return { ended: await this.access.logoutAll(user, { others: true }) };
  }
}
