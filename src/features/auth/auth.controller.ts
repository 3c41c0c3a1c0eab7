import { Body, Controller, Header, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { Authorize, CurrentUser, Public } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { PROBLEM_RESPONSE } from '../../platform/http/problem.dto.js';
import {
  AccountDto,
  LoginDto,
  RefreshDto,
  RegisterDto,
  SignedInDto,
  toAccountDto,
  TokensDto,
  toSignedInDto,
  toTokensDto,
} from './auth.dto.js';
import { AuthService } from './auth.service.js';
import type { ClientInfo } from './auth.types.js';
import { Client } from './client-info.decorator.js';

/** Tokens must not linger in caches (RFC 6749, section 5.1). */
const NoStore = (): MethodDecorator => Header('Cache-Control', 'no-store');

@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  /** Create an account. 409 `email_taken` or `username_taken` when somebody else has the name. */
  @Post('register')
  @Public()
  @ApiResponse({ status: 409, description: 'The e-mail address or the username is taken.', ...PROBLEM_RESPONSE })
  @ApiResponse({ status: 422, description: 'The password is too easy to guess.', ...PROBLEM_RESPONSE })
  async register(@Body() account: RegisterDto): Promise<AccountDto> {
    return toAccountDto(await this.auth.register(account));
  }

  /** Sign in with e-mail address or username: opens a session. 401 `invalid_credentials` when either is wrong. */
  @Post('login')
  @HttpCode(HttpStatus.OK)
  @Public()
  @NoStore()
  @ApiResponse({ status: 401, description: 'The identifier or the password is wrong.', ...PROBLEM_RESPONSE })
  @ApiResponse({ status: 503, description: 'Too many are signing in; try again in a second.', ...PROBLEM_RESPONSE })
  async login(@Body() { identifier, password }: LoginDto, @Client() client: ClientInfo): Promise<SignedInDto> {
    return toSignedInDto(await this.auth.login(identifier, password, client));
  }

  /**
   * Exchange a refresh token for a new pair. A concurrent request with the same token gets the same successor for ten
   * seconds; after that it ends the session (401 `token_reused`).
   */
  @Post('refresh')
  @HttpCode(HttpStatus.OK)
  @Public()
  @NoStore()
  @ApiResponse({ status: 401, description: 'Unknown, expired, revoked or used before.', ...PROBLEM_RESPONSE })
  async refresh(@Body() { refreshToken }: RefreshDto): Promise<TokensDto> {
    return toTokensDto(await this.auth.refresh(refreshToken));
  }

  /** End this session: its access token, refresh token and sockets are refused from now on. */
  @Post('logout')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  logout(@CurrentUser() user: Principal): Promise<void> {
    return this.auth.logout(user);
  }
}
