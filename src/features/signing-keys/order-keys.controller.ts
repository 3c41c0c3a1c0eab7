import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { OrderKeySetDto, toOrderKeyDto } from './order-keys.dto.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('Signing keys')
@Controller('.well-known')
export class OrderKeysController {
  constructor(private readonly keys: SigningKeysService) {}

  /** The keys that devices verify orders with (RFC 7517, RFC 8037). A new key is listed before it signs. */
  @Get('order-keys.json')
  @Vital()
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  async list(): Promise<OrderKeySetDto> {
    return { keys: (await this.keys.listVerificationKeys('order')).map(toOrderKeyDto) };
  }
}
