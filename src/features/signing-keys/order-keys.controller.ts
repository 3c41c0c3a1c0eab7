import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { DeviceRegistrationService } from '../devices/device-registration.service.js';
import { OrderKeySetDto, toOrderKeyDto } from './order-keys.dto.js';

@Controller('.well-known')
export class OrderKeysController {
  constructor(private readonly registration: DeviceRegistrationService) {}

  /** The keys that devices verify orders with (RFC 7517, RFC 8037). A new key is listed before it signs. */
  @Get('order-keys.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  async keys(): Promise<OrderKeySetDto> {
    return { keys: (await this.registration.orderKeys()).map(toOrderKeyDto) };
  }
}
