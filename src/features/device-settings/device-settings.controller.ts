import { Body, Controller, Get, Patch, UseInterceptors } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../contracts/resources.js';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../platform/http/conditional/version-tag.interceptor.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { DeviceNotFoundError } from '../devices/devices.errors.js';
import { SettingsDto, toSettingsDto, UpdateSettingsDto } from './device-settings.dto.js';
import { SettingsChangedError, SettingsPreconditionError } from './device-settings.errors.js';
import { DeviceSettingsService } from './device-settings.service.js';

@RateLimit('device')
@ApiTags('Devices')
@Controller('devices/:deviceId/settings')
export class DeviceSettingsController {
  constructor(private readonly settings: DeviceSettingsService) {}

  /** What a device should be set to, what it said it is set to, and the difference. */
  @Get()
  @Authorize('device:view')
  @ReadVersioned()
  async get(@Target() device: DeviceRef): Promise<SettingsDto> {
    return toSettingsDto(await this.settings.get(device.id));
  }

  /**
   * Change settings: a merge patch. The device gets them at once, or when it is next online, and confirms them by
   * `settings_updated`. Who sends the `version` that they read gets 409 when it is an old one; with `If-Match`, 412. To lock
   * and to unlock is a command.
   */
  @Patch()
  @Authorize('device:admin')
  @Audit('device_settings_changed')
  @TakesIfMatch(SettingsPreconditionError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(DeviceNotFoundError, SettingsChangedError)
  async update(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Body() { settings, version }: UpdateSettingsDto,
    @IfMatch() versions?: number[],
  ): Promise<SettingsDto> {
    return toSettingsDto(await this.settings.update(user.userId, device.id, { settings, version, versions }));
  }
}
