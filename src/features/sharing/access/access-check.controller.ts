import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditRead, ChangesNothing } from '../../../platform/audit/audit.decorator.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { AccessCheckService } from './access-check.service.js';
import { AccessVerdictDto, CheckAccessDto, toVerdictDto } from './access.dto.js';

@RateLimit('device')
@ApiTags('Sharing')
@Controller('devices/:deviceId/access-check')
export class AccessCheckController {
  constructor(private readonly checks: AccessCheckService) {}

  /**
   * A dry run: whether a person may do something with a device, at this or another time, and why. It asks the decision that
   * every request, socket and order asks, and does nothing. About another person it takes `admin` of the device; whose own `admin` is
   * a share is answered by shares alone, and does not learn which address is the owner’s or a member’s.
   */
  @Post()
  @HttpCode(HttpStatus.OK)
  @Authorize('device:view')
  @ChangesNothing()
  @AuditRead('device_access_checked', 'deviceId')
  @Refuses(new ForbiddenError('device:admin'))
  async check(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Body() { needs, userId, email, at }: CheckAccessDto,
  ): Promise<AccessVerdictDto> {
    const isAboutMe = email === undefined && (userId === undefined || userId === user.userId);
    if (!isAboutMe && device.permission !== 'admin') {
      throw new ForbiddenError('device:admin');
    }
    const person = email === undefined ? { userId: userId ?? user.userId } : { email };
    const verdict = await this.checks.check({
      deviceId: device.id,
      person,
      needs,
      bySharesAlone: !isAboutMe && !device.managed,
      at: at === undefined ? null : new Date(at),
    });
    return toVerdictDto(verdict, needs);
  }
}
