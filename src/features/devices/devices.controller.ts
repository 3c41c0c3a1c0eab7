import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { DeviceRef } from '../../contracts/resources.js';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../platform/http/conditional/version-tag.interceptor.js';
import { SecretAnswer } from '../../platform/http/secret-answer.decorator.js';
import { FormerlyAt } from '../../platform/http/routes/formerly-at.decorator.js';
import { TakesNoQuery } from '../../platform/http/validation/no-query.interceptor.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { DeviceEditorService } from './device-editor.service.js';
import { DeviceRegistrationService } from './device-registration.service.js';
import { RegisterDeviceDto, RegisteredDeviceDto, toRegisteredDeviceDto, UpdateDeviceDto } from './devices.dto.js';
import { DeviceDto, toDeviceDto } from './facts/device.dto.js';
import {
  DevicePageDto,
  DeviceStatsDto,
  ListDevicesQueryDto,
  toDevicePageJson,
  toDeviceQuery,
  toDeviceStatsDto,
} from './list/device-list.dto.js';
import { showsReadings } from './list/device-list.cache.js';
import { DeviceListService } from './list/device-list.service.js';
import { DeviceScopeService } from '../sharing/access/device-scope.service.js';
import { DevicesService } from './devices.service.js';
import { InvalidCursorError } from '../../shared/cursor.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  DeviceChangedError,
  DeviceNotFoundError,
  HardwareIdTakenError,
  TooManyDevicesError,
} from './devices.errors.js';
import { AccountCannotActError, UnlockRestrictedError } from '../users/users.errors.js';

/** A person's own devices, and by what they see others: see DeviceScopeService. */
const tagsOfDevices = (userId: string): string[] => [`account:${userId}`, `owner:${userId}`];

@RateLimit('device')
@ApiTags('Devices')
@Controller('devices')
export class DevicesController {
  constructor(
    private readonly devices: DevicesService,
    private readonly lists: DeviceListService,
    private readonly registration: DeviceRegistrationService,
    private readonly editor: DeviceEditorService,
  ) {}

  /**
   * Register a device. Its token is shown this once. 409 `hardware_id_taken` when I have registered it already,
   * `too_many_devices` for a person who owns as many as this installation allows (1,000 unless configured).
   */
  @Post()
  @Authorize()
  @FormerlyAt('/device/register')
  @Audit('device_registered')
  @SecretAnswer()
  @Idempotent()
  @Refuses(HardwareIdTakenError, TooManyDevicesError, AccountCannotActError, DeviceNotFoundError)
  async register(
    @CurrentUser() user: Principal,
    @Body() device: RegisterDeviceDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RegisteredDeviceDto> {
    const registered = await this.registration.register(user.userId, device);
    void reply.header('Location', `/api/v1/devices/${registered.device.id}`);
    return toRegisteredDeviceDto(registered);
  }

  /** List my devices, those of my organizations, and those that are shared with me now. With `fields`, each has only the members that it names. */
  @Get()
  @Authorize()
  @Cached({
    category: 'devices',
    tags: tagsOfDevices,
    scope: DeviceScopeService,
    hasReadings: showsReadings,
  })
  @ApiOkResponse({ type: DevicePageDto })
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() user: Principal, @Query() query: ListDevicesQueryDto): Promise<string> {
    return toDevicePageJson(await this.lists.list(user.userId, toDeviceQuery(query)));
  }

  /** Count the devices that I see: by status, type and permission, their rooms, batteries and versions of firmware. */
  @Get('stats')
  @Authorize()
  @Cached({ category: 'live', tags: tagsOfDevices, scope: DeviceScopeService, hasReadings: () => true })
  @TakesNoQuery()
  async stats(@CurrentUser() user: Principal): Promise<DeviceStatsDto> {
    return toDeviceStatsDto(await this.lists.stats(user.userId));
  }

  /** One device, with its version as `ETag`. */
  @Get(':deviceId')
  @Authorize('device:view')
  @ReadVersioned()
  async get(@Target() device: DeviceRef): Promise<DeviceDto> {
    return toDeviceDto(await this.devices.get(device.id), device);
  }

  /**
   * Change a device. With `If-Match`, only a version it names. Its owner may put it into an organization that they
   * manage, or take it out. With `maintenance: true` its status is `maintenance` until `false`: its connections come and go as
   * `device_connected` and `device_disconnected`, without a `status_changed`, and it gets its orders as ever.
   */
  @Patch(':deviceId')
  @Authorize('device:admin')
  @Audit('device_updated')
  @TakesIfMatch(DeviceChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(DeviceNotFoundError, UnlockRestrictedError)
  async update(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Body() changes: UpdateDeviceDto,
    @IfMatch() versions?: number[],
  ): Promise<DeviceDto> {
    return toDeviceDto(await this.editor.update(user.userId, device.id, changes, versions), device);
  }

  /**
   * Delete a device with its commands: its token is revoked at once and its connection closed. Its history stays. A broker of the
   * operator's keeps the connection until they delete the account of the device there: what it says is refused.
   */
  @Delete(':deviceId')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('device:owner')
  @Audit('device_deleted')
  @TakesIfMatch(DeviceChangedError)
  @Refuses(DeviceNotFoundError)
  async delete(
    @Target() { id }: DeviceRef,
    @CurrentUser() { userId }: Principal,
    @IfMatch() versions?: number[],
  ): Promise<void> {
    await this.devices.delete(userId, id, versions);
  }
}
