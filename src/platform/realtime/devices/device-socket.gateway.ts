import type { OnModuleDestroy } from '@nestjs/common';
import { type OnGatewayConnection, type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import { AppConfig } from '../../../config/app-config.js';
import { DEVICE_REPORTS, type ReportAnswer } from '../../../contracts/device-sockets.js';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { closestName } from '../../../shared/closest-name.js';
import { OverloadedError } from '../../http/admission/admission-limiter.js';
import { clientAddressReader, networkKey } from '../../http/client-address.js';
import { LineLimiter } from '../../mqtt/limits/line-limiter.js';
import { RejectedMessages } from '../../mqtt/rejected-messages.js';
import { SocketRateLimiter } from '../../rate-limit/socket-rate-limiter.js';
import { SignalBus } from '../../redis/signal-bus.js';
import { UnknownEventError } from '../socket.errors.js';
import { connectionProblemOf, refusedRequest, socketProblemOf } from '../sockets.js';
import { DeviceSocketAuthenticator } from './device-socket-authenticator.js';
import { DeviceSocketSweeper } from './device-socket-sweeper.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';
import {
  DEVICE_GATEWAY,
  deviceOfSocket,
  type DeviceServer,
  type DeviceSocket,
  limitDeviceReading,
  onUnknownReport,
} from './device-sockets.js';

/** As many as the embedded broker takes. */
const MAX_CONNECTIONS = 20_000;

/**
 * The connections of devices that speak Socket.IO: who gets in, and how fast each is read. What they say is handled by the
 * gateways of the features, on the same path.
 */
@WebSocketGateway(DEVICE_GATEWAY)
export class DeviceSocketGateway implements OnGatewayInit, OnGatewayConnection, OnModuleDestroy {
  readonly #addressOf;

  constructor(
    private readonly authenticator: DeviceSocketAuthenticator,
    private readonly registry: DeviceSocketRegistry,
    private readonly sweeper: DeviceSocketSweeper,
    private readonly waiting: SocketRateLimiter,
    private readonly line: LineLimiter,
    private readonly refusals: RejectedMessages,
    private readonly signals: SignalBus,
    private readonly config: AppConfig,
  ) {
    this.#addressOf = clientAddressReader(config.http);
  }

  afterInit(server: DeviceServer): void {
    server.use((socket, next) => {
      this.authenticate(socket).then(() => {
        next();
      }, next);
    });
  }

  handleConnection(socket: DeviceSocket): void {
    const deviceId = deviceOfSocket(socket);
    this.limitReading(socket, deviceId);
    onUnknownReport(socket, DEVICE_REPORTS, (name, ack) => {
      this.refuseUnknown(socket, name, ack);
    });
    const replaced = this.registry.admit(deviceId, socket);
    if (replaced) {
      this.sweeper.replace(replaced);
    }
    this.signals.publish('device_socket_opened', { deviceId, socketId: socket.id });
  }

  onModuleDestroy(): void {
    this.sweeper.closeAll();
  }

  /** A refusal reaches the device as `connect_error` with the problem as its `data`; then the connection is closed. */
  private async authenticate(socket: DeviceSocket): Promise<void> {
    this.waiting.hold(socket.conn);
    try {
      if (this.registry.size >= MAX_CONNECTIONS) {
        throw new OverloadedError();
      }
      const deviceId = await this.authenticator.authenticate(socket);
      socket.data.deviceId = deviceId;
      this.waiting.settle(socket.conn);
      socket.conn.once('close', () => {
        this.registry.forget(deviceId, socket);
      });
    } catch (error) {
      this.waiting.release(socket.conn);
      // Once the refusal is sent: the next attempt costs a connection.
      setImmediate(() => {
        socket.conn.close();
      });
      const problem = connectionProblemOf(error, this.config.http.publicUrl);
      throw Object.assign(new Error(problem.code), { data: problem });
    }
  }

  private limitReading(socket: DeviceSocket, deviceId: string): void {
    const address = networkKey(this.#addressOf(socket.request));
    limitDeviceReading(socket, {
      pace: (bytes) => this.line.pace(deviceId, address, 1, bytes),
      onFault: (code) => {
        this.refusals.operation('packet', code, { deviceId, proven: true });
      },
    });
  }

  private refuseUnknown(socket: DeviceSocket, name: string, ack: unknown): void {
    const error = new UnknownEventError(closestName(name, Object.keys(DEVICE_REPORTS)));
    const { publicUrl } = this.config.http;
    this.refusals.message('unknown_event', deviceTopic(deviceOfSocket(socket), 'events'));
    if (typeof ack === 'function') {
      (ack as (answer: ReportAnswer) => void)({ error: socketProblemOf(error, publicUrl) });
      return;
    }
    const problem = refusedRequest(name, error, publicUrl);
    if (problem) {
      socket.emit('problem', problem);
    }
  }
}
