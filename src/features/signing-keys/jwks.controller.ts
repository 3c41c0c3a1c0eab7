import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { JwkSetDto, toJwkSetDto } from '../auth/auth.dto.js';
import { AuthService } from '../auth/auth.service.js';

@Controller('.well-known')
export class JwksController {
  constructor(private readonly auth: AuthService) {}

  /** The keys that verify our access tokens (RFC 7517). A new key is listed before it signs. */
  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  async keys(): Promise<JwkSetDto> {
    return toJwkSetDto(await this.auth.verificationKeys());
  }
}
