import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { HashesPassword } from '../../platform/crypto/hashes-password.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { ProvenBy, RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { LoginDto, RefreshDto, SignedInDto, TokensDto, toSignedInDto, toTokensDto } from './auth.dto.js';
import type { ClientInfo } from './auth.types.js';
import { Client } from './client-info.decorator.js';
import { WithKnownDeviceCookie } from './login/known-device-cookie.interceptor.js';
import { LoginService } from './login/login.service.js';
import type { ProofName } from './login/proof-verifier.js';
import { SecretAnswer } from '../../platform/http/secret-answer.decorator.js';
import { WithSessionCookie } from './sessions/session-cookie.interceptor.js';
import { SessionsService } from './sessions/sessions.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  AccountBlockedError,
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  LoginThrottledError,
  PasswordChangeRequiredError,
  TokenReusedError,
} from './auth.errors.js';
import { SessionEvictedError } from '../../platform/auth/auth.errors.js';
import { BusyError } from '../../platform/process/semaphore.js';

/** `npm start` makes this account; Swagger UI fills it in. */
const LOGIN_EXAMPLES = {
  demo: {
    summary: 'The demo account',
    value: { identifier: 'demo@mortise.example', password: 'knock-three-times-please' },
  },
};

@ApiTags('Authentication')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionsService,
  ) {}

  /** Sign in with e-mail address or username: opens a session. 401 `invalid_credentials` when either is wrong. */
  @Post('login')
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('login')
  @RateLimit('auth')
  @HashesPassword()
  @SecretAnswer()
  @WithSessionCookie()
  @WithKnownDeviceCookie({ takes: true })
  @ProvenBy('known_device' satisfies ProofName)
  @ApiBody({ type: LoginDto, examples: LOGIN_EXAMPLES })
  @Refuses(InvalidCredentialsError, AccountBlockedError, PasswordChangeRequiredError, LoginThrottledError, BusyError)
  async login(@Body() credentials: LoginDto, @Client() client: ClientInfo): Promise<SignedInDto> {
    return toSignedInDto(await this.logins.login(credentials, client));
  }

  /**
   * Exchange a refresh token for a new pair. A concurrent request of the same client with the same token, or its retry
   * after a lost answer, gets the same successor for ten seconds. The client is the same if both send the `knownDevice`
   * of the session; if neither does, when address and user agent are the same. After that, from another client, or
   * for the third rotation in ten minutes (without `knownDevice`, the third time), it ends the session (401
   * `token_reused`). 401 `session_evicted` when too many devices signed in.
   */
  @Post('refresh')
  @Vital()
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('session_refreshed')
  @RateLimit('refresh')
  @ProvenBy('refresh_token' satisfies ProofName, { spentBy: 401 })
  @SecretAnswer()
  @WithKnownDeviceCookie({ takes: true })
  @WithSessionCookie({ takes: true })
  @ApiBody({ type: RefreshDto, required: false })
  @Refuses(InvalidRefreshTokenError, TokenReusedError, SessionEvictedError)
  async refresh(@Body() { refreshToken, knownDevice }: RefreshDto, @Client() client: ClientInfo): Promise<TokensDto> {
    return toTokensDto(await this.sessions.refresh(refreshToken, { ...client, knownDevice }));
  }

  /** End this session: its access token, refresh token and sockets are refused from now on. */
  @Post('logout')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('logout')
  @WithSessionCookie()
  logout(@CurrentUser() user: Principal): Promise<void> {
    return this.sessions.logout(user);
  }
}
