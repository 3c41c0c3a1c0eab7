import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, from, lastValueFrom, map, type Observable, of } from 'rxjs';
import { AppConfig } from '../../../config/app-config.js';
import { CHANNEL_OF_REPORT, type DeviceReport, type ReportAnswer } from '../../../contracts/device-sockets.js';
import { deviceTopic, type ReceiptMessage } from '../../../contracts/mqtt.js';
import type { RefusedRequest } from '../../../contracts/realtime.js';
import { newContext, runInContext } from '../../context/request-context.js';
import { CutoffRegistry } from '../../mqtt/limits/cutoff-registry.js';
import { LineLimiter } from '../../mqtt/limits/line-limiter.js';
import { RejectedMessages } from '../../mqtt/rejected-messages.js';
import { refusedRequest, socketProblemOf } from '../sockets.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';
import { DeviceCutOffError, DeviceRateLimitedError, DeviceTokenRefusedError } from './device-socket.errors.js';
import { deviceOfSocket, type DeviceSocket } from './device-sockets.js';
import { faultsAsSent, type SocketUplink, uplinkOf } from './device-uplinks.js';

/** After so long there is room again for what a device holds back. */
const AGAIN_AFTER_S = 1;

/** What the framework emits instead of an acknowledgement. */
interface EmittedRefusal {
  readonly event: 'problem';
  readonly data: RefusedRequest;
}

/**
 * Takes the reports of devices as the MQTT line takes theirs: within the same limits, in the turn of their device, refusals
 * counted. Each is acknowledged, with its receipt where it is an event.
 */
@Injectable()
export class DeviceSocketInterceptor implements NestInterceptor<unknown, ReportAnswer | EmittedRefusal | null> {
  constructor(
    private readonly registry: DeviceSocketRegistry,
    private readonly line: LineLimiter,
    private readonly cutoffs: CutoffRegistry,
    private readonly refusals: RejectedMessages,
    private readonly config: AppConfig,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<ReportAnswer | EmittedRefusal | null> {
    const socket = context.switchToWs().getClient<DeviceSocket>();
    const report = context.switchToWs().getPattern() as DeviceReport;
    const takesAnswer = context.getArgs().some((argument) => typeof argument === 'function');
    return from(this.take(socket, report, context, next)).pipe(
      map((receipt): ReportAnswer => (receipt ? { ok: true, receipt } : { ok: true })),
      catchError((error: unknown) => {
        const { publicUrl } = this.config.http;
        const problem = socketProblemOf(error, publicUrl);
        const { errors, ...rest } = problem;
        const told = errors ? { ...rest, errors: faultsAsSent(errors) } : rest;
        const data = takesAnswer ? null : refusedRequest(report, error, publicUrl);
        return of(takesAnswer ? { error: told } : data && { event: 'problem' as const, data: { ...data, ...told } });
      }),
    );
  }

  private async take(
    socket: DeviceSocket,
    report: DeviceReport,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<ReceiptMessage | undefined> {
    const deviceId = deviceOfSocket(socket);
    this.assertMaySpeak(deviceId, socket);
    try {
      const uplink = uplinkOf(deviceId, report, context.switchToWs().getData());
      this.assertRoom(deviceId, uplink);
      // What the handlers and their decorators see is what MQTT carries.
      context.getArgs()[1] = uplink;
      return await this.inTurn(deviceId, uplink, next);
    } catch (error) {
      this.refused(deviceTopic(deviceId, CHANNEL_OF_REPORT[report]), report, error);
      throw error;
    }
  }

  /** @throws DeviceTokenRefusedError, DeviceCutOffError */
  private assertMaySpeak(deviceId: string, socket: DeviceSocket): void {
    if (this.registry.isRetired(socket)) {
      throw new DeviceTokenRefusedError(false);
    }
    const cutMs = this.cutoffs.remainingMs(deviceId);
    if (cutMs > 0) {
      throw new DeviceCutOffError(cutMs);
    }
    this.registry.heard(socket);
  }

  /** @throws DeviceRateLimitedError */
  private assertRoom(deviceId: string, { channel }: SocketUplink): void {
    const limit = this.line.refuseOnChannel(deviceId, channel, 1);
    if (limit) {
      throw new DeviceRateLimitedError(limit, AGAIN_AFTER_S);
    }
  }

  private inTurn(deviceId: string, { bytes }: SocketUplink, next: CallHandler): Promise<ReceiptMessage | undefined> {
    return new Promise((resolve, reject) => {
      const handle = (): Promise<ReceiptMessage | undefined> =>
        runInContext(newContext('websocket', `device:${deviceId}`), () =>
          lastValueFrom(next.handle() as Observable<ReceiptMessage | undefined>, { defaultValue: undefined }),
        );
      if (!this.line.offer(deviceId, bytes, () => handle().then(resolve, reject))) {
        reject(new DeviceRateLimitedError('too_many_waiting', AGAIN_AFTER_S));
      }
    });
  }

  private refused(topic: string, report: DeviceReport, error: unknown): void {
    const { code, status, errors } = socketProblemOf(error, this.config.http.publicUrl);
    this.refusals.message(error instanceof DeviceRateLimitedError ? error.limit : code, topic, {
      report,
      ...(errors ? { errors } : {}),
      ...(status >= 500 ? { err: error } : {}),
    });
  }
}
