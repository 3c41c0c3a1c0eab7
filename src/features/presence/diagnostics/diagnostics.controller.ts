import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditRead } from '../../../platform/audit/audit.decorator.js';
import { Authorize, Target } from '../../../platform/auth/authorize.decorator.js';
import { DiagnosticsDto, toDiagnosticsDto } from './diagnostics.dto.js';
import { DiagnosticsService } from './diagnostics.service.js';

@ApiTags('Devices')
@Controller('devices/:deviceId/diagnostics')
export class DiagnosticsController {
  constructor(private readonly diagnostics: DiagnosticsService) {}

  /**
   * What is known of the line of a device: the links that it has, its last birth, whether it gets its orders, its last order and last
   * ack, why messages were refused, and whether it is cut off. A device line has no answers, so this is where its
   * owner and the author of its firmware see what was wrong. It follows within some seconds; refusals are kept for 30 days.
   * Reading it is audited, unless I own the device.
   */
  @Get()
  @Authorize('device:view')
  @AuditRead('device_diagnostics_read', 'deviceId')
  async get(@Target() device: DeviceRef): Promise<DiagnosticsDto> {
    return toDiagnosticsDto(await this.diagnostics.get(device.id));
  }
}
