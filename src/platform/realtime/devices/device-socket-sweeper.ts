import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import type { DomainError } from '../../../shared/domain-error.js';
import { Metrics } from '../../metrics/metrics.js';
import { DeviceAuthenticator } from '../../mqtt/device-authenticator.js';
import { CutoffRegistry } from '../../mqtt/limits/cutoff-registry.js';
import { SignalBus } from '../../redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../scheduling/background-loop.js';
import { secondsBetween } from '../../scheduling/jitter.js';
import { LoopRegistry } from '../../scheduling/loop-registry.js';
import { BACK_AFTER_STOP_S, ShuttingDownError } from '../socket.errors.js';
import { connectionProblemOf } from '../sockets.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';
import {
  DeviceCutOffError,
  DeviceReplacedError,
  DeviceSilentError,
  DeviceTokenRefusedError,
} from './device-socket.errors.js';
import { closeDeviceSocket, deviceOfSocket, type DeviceSocket } from './device-sockets.js';

/** A device whose token was revoked or has expired is gone within two seconds, whether a signal of that arrives or not. */
const LOOK_EVERY_MS = 1_000;
const RECHECK_BATCH = 1_000;

/** Ends the sockets of devices that are revoked, cut off, silent, or connected elsewhere since. */
@Injectable()
export class DeviceSocketSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  readonly #ends: (() => void)[] = [];

  constructor(
    private readonly registry: DeviceSocketRegistry,
    private readonly authenticator: DeviceAuthenticator,
    private readonly cutoffs: CutoffRegistry,
    private readonly signals: SignalBus,
    private readonly config: AppConfig,
    loops: LoopRegistry,
    logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(DeviceSocketSweeper.name);
    const connected = metrics.gauge('mortise_device_sockets', 'Devices connected to this process by a socket');
    this.#loop = loops.create(
      'device_sockets',
      async () => {
        connected.set(registry.connectedIds().length);
        return this.sweep();
      },
      {
        idleFromMs: LOOK_EVERY_MS,
        idleMs: LOOK_EVERY_MS,
        retryMs: LOOK_EVERY_MS,
        onError: (error, failures) => {
          // A database that does not answer revokes no connection.
          logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'The sockets of devices could not be checked');
        },
      },
    );
  }

  onApplicationBootstrap(): void {
    this.#ends.push(
      this.signals.on('device_revoked', ({ deviceId }) => {
        this.registry.allOf(deviceId).forEach((socket) => {
          this.revoke(socket);
        });
      }),
      this.signals.on('device_socket_opened', ({ deviceId, socketId }) => {
        const socket = this.registry.of(deviceId);
        if (socket && socket.id !== socketId) {
          this.replace(socket);
        }
      }),
    );
    this.cutoffs.onCut(({ deviceId, forMs }) => {
      this.end(deviceId, new DeviceCutOffError(forMs));
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#ends.forEach((end) => {
      end();
    });
    await this.#loop.stop();
  }

  /** Another connection of its device came later. */
  replace(socket: DeviceSocket): void {
    this.registry.retire(socket);
    this.close(socket, new DeviceReplacedError());
  }

  /** This process stops. The links stay: their devices connect to another one, and are born there. */
  closeAll(): void {
    for (const deviceId of this.registry.deviceIds()) {
      this.end(deviceId, new ShuttingDownError(secondsBetween(...BACK_AFTER_STOP_S)));
    }
  }

  private async sweep(): Promise<StepOutcome> {
    for (const socket of this.registry.listSilent()) {
      // Presence ends the link by the same silence.
      this.registry.retire(socket);
      this.close(socket, new DeviceSilentError());
    }
    for (const deviceId of this.registry.deviceIds()) {
      // Another process may have cut it.
      const cutMs = this.cutoffs.remainingMs(deviceId);
      if (cutMs > 0) {
        this.end(deviceId, new DeviceCutOffError(cutMs));
      }
    }
    const logins = this.registry.logins();
    for (let start = 0; start < logins.length; start += RECHECK_BATCH) {
      for (const { socket } of await this.authenticator.listEnded(logins.slice(start, start + RECHECK_BATCH))) {
        this.revoke(socket);
      }
    }
    return 'idle';
  }

  private revoke(socket: DeviceSocket): void {
    this.registry.revoke(socket);
    this.close(socket, new DeviceTokenRefusedError(false));
  }

  private end(deviceId: string, error: DomainError): void {
    for (const socket of this.registry.allOf(deviceId)) {
      this.registry.retire(socket);
      this.close(socket, error);
    }
  }

  private close(socket: DeviceSocket, error: DomainError): void {
    if (socket.connected) {
      closeDeviceSocket(socket, connectionProblemOf(error, this.config.http.publicUrl));
      this.registry.forget(deviceOfSocket(socket), socket);
    }
  }
}
