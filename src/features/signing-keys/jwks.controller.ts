import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { JwkSetDto, toJwkSetDto } from './jwks.dto.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('Signing keys')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeysService) {}

  /** The keys that verify our access tokens (RFC 7517). A new key is listed before it signs. */
  @Get('jwks.json')
  @Vital()
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  async list(): Promise<JwkSetDto> {
    return toJwkSetDto(await this.keys.listVerificationKeys('access_token'));
  }
}
