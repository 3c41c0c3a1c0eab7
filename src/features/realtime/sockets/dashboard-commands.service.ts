import { Injectable } from '@nestjs/common';
import type { AuditIntent } from '../../../contracts/audit.js';
import { type DevicePermission, grants } from '../../../contracts/devices.js';
import type { RequestAnswers } from '../../../contracts/realtime.js';
import type { Demand, DeviceRef } from '../../../contracts/resources.js';
import { AuditFailureWriter } from '../../../platform/audit/audit-failure-writer.js';
import { ForbiddenError, ResourceNotFoundError, sessionEnded } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { type IdempotencyClaim, requestContext } from '../../../platform/context/request-context.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { SocketRateLimiter } from '../../../platform/rate-limit/socket-rate-limiter.js';
import type { DashboardSocket } from '../../../platform/realtime/sockets.js';
import { DomainError } from '../../../shared/domain-error.js';
import { CommandSubmissionService } from '../../commands/command-submission.service.js';
import { toCommandDto, toCommandRequest } from '../../commands/commands.dto.js';
import { toDeviceDto } from '../../devices/facts/device.dto.js';
import { DevicesService } from '../../devices/devices.service.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import type { DeviceCommandDto } from '../realtime-requests.dto.js';
import { principalOf } from './dashboard-principal.js';

/** A key is good for both ways: a request whose socket was lost is repeated over HTTP, and does nothing twice. */
const ROUTE = 'POST /api/v1/devices/:deviceId/commands';

/** What a dashboard asks of a device: each as the same request over HTTP, with its checks, limits and audit. */
@Injectable()
export class DashboardCommandsService {
  constructor(
    private readonly access: DeviceAccessService,
    private readonly devices: DevicesService,
    private readonly submissions: CommandSubmissionService,
    private readonly sessions: SessionVerifier,
    private readonly limiter: SocketRateLimiter,
    private readonly idempotency: IdempotencyService,
    private readonly failures: AuditFailureWriter,
  ) {}

  /** @throws what the same request over HTTP is refused with */
  async send(socket: DashboardSocket, body: DeviceCommandDto): Promise<RequestAnswers['send_command']> {
    const principal = principalOf(socket);
    const { deviceId } = body;
    await this.requireSession(principal);
    const intent: AuditIntent = {
      action: 'command_created',
      recorded: false,
      target: { type: 'device', id: deviceId },
    };
    const { permission } = await this.resolve(principal, deviceId, 'control').catch(async (error: unknown) => {
      if (error instanceof DomainError) {
        await this.failures.recordRefusal(principal.userId, intent, error);
      }
      throw error;
    });
    this.announce(intent, claimOf(principal, body));
    await this.limiter.count('device', principal.userId);
    if (body.name === 'unlock_door' && !(await this.isRepeat())) {
      await this.limiter.count('unlock', `${principal.userId} ${deviceId}`);
    }
    try {
      const submission = { ...toCommandRequest(body), deviceId, permission, issuerId: principal.userId };
      return { command: toCommandDto(await this.submissions.submit(submission)) };
    } catch (error) {
      await this.failures.record(intent, error);
      throw error;
    }
  }

  /** @throws ResourceNotFoundError, RateLimitedError */
  async readDevice(socket: DashboardSocket, deviceId: string): Promise<RequestAnswers['request_device_status']> {
    const principal = principalOf(socket);
    const device = await this.resolve(principal, deviceId, 'view');
    await this.limiter.count('device', principal.userId);
    return { device: toDeviceDto(await this.devices.get(deviceId), device) };
  }

  /** What opens a door needs a session that stands now, and not one that stood seconds ago (promise P-06). */
  private async requireSession({ sessionId }: Principal): Promise<void> {
    const end = await this.sessions.endOf(sessionId, { certain: true });
    if (end !== null) {
      throw sessionEnded(end);
    }
  }

  private async resolve({ userId }: Principal, deviceId: string, need: DevicePermission): Promise<DeviceRef> {
    const device = await this.access.resolve(userId, deviceId);
    if (!device) {
      throw new ResourceNotFoundError('device');
    }
    if (!grants(device.permission, need)) {
      throw new ForbiddenError(`device:${need}` satisfies Demand);
    }
    return device;
  }

  private announce(audit: AuditIntent, idempotency: IdempotencyClaim): void {
    const context = requestContext();
    if (context) {
      Object.assign(context, { audit, idempotency });
    }
  }

  /** What is no good as a repeat is refused where it is claimed. */
  private async isRepeat(): Promise<boolean> {
    try {
      return await this.idempotency.isRepeat();
    } catch (error) {
      if (error instanceof DomainError) {
        return false;
      }
      throw error;
    }
  }
}

/** As the same request over HTTP has it. */
function claimOf(
  { userId }: Principal,
  { deviceId, name, payload, idempotencyKey }: DeviceCommandDto,
): IdempotencyClaim {
  const body = { name, ...(payload === undefined ? {} : { payload }) };
  return { key: idempotencyKey, route: ROUTE, userId, asked: { params: { deviceId }, query: {}, body } };
}
