import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { type CommandName, COMMAND_NAMES } from '../../src/contracts/commands.js';
import {
  DEVICE_SOCKET_PATH,
  type DeviceDownlinks,
  type DeviceReport,
  type DeviceReports,
  type ReportAnswer,
} from '../../src/contracts/device-sockets.js';
import type { SettingsMessage } from '../../src/contracts/mqtt.js';
import type { Order, SignedOrder } from '../../src/contracts/orders.js';
import type { SocketProblem } from '../../src/contracts/realtime.js';
import { uptimeMs } from './device-uptime.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

/** A device on a socket whose messages the test scripts: one connection, no reconnects. */
export class SocketDevice {
  readonly received: { readonly name: CommandName; readonly signed: SignedOrder }[] = [];
  /** Every message, whatever it is. */
  readonly heard: { readonly name: string; readonly payload: unknown }[] = [];
  /** What it was told to be set to, in the order of arrival. */
  readonly settings: SettingsMessage[] = [];
  /** Why the server ended the connection, once it said so. */
  closing: SocketProblem | undefined;
  /** What was said of reports that were sent without an acknowledgement. */
  readonly problems: SocketProblem[] = [];
  /** Whether it tells the server that an order arrived. */
  acknowledges = true;

  private constructor(
    readonly id: string,
    readonly socket: Socket<DeviceDownlinks, DeviceReports>,
    readonly boot: string,
  ) {
    for (const name of COMMAND_NAMES) {
      socket.on(name, (signed: SignedOrder, ack: () => void) => {
        this.received.push({ name, signed });
        if (this.acknowledges) {
          ack();
        }
      });
    }
    socket.onAny((name: string, payload: unknown) => {
      this.heard.push({ name, payload });
    });
    socket.on('update_settings', (settings) => {
      this.settings.push(settings);
    });
    socket.on('closing', (problem) => {
      this.closing = problem;
    });
    socket.on('problem', (problem) => {
      this.problems.push(problem);
    });
  }

  /** Rejects when the handshake is refused; the error's `data` is the problem. */
  static async connect(
    url: string,
    { id, token }: RegisteredDevice,
    boot: string = randomUUID(),
  ): Promise<SocketDevice> {
    const device = new SocketDevice(id, SocketDevice.open(url, { clientType: 'device', deviceId: id, token }), boot);
    await connected(device.socket);
    return device;
  }

  /** Connected, and born. */
  static async born(url: string, registered: RegisteredDevice, boot?: string): Promise<SocketDevice> {
    const device = await SocketDevice.connect(url, registered, boot);
    await device.say('device_register', { boot: device.boot, uptimeMs: uptimeMs(), lockState: 'locked' });
    return device;
  }

  /** The problem that a handshake with this `auth` meets. */
  static async refusal(url: string, auth: object, path: string = DEVICE_SOCKET_PATH): Promise<SocketProblem> {
    const socket = SocketDevice.open(url, auth, path);
    try {
      await connected(socket);
    } catch (error) {
      return (error as { data: SocketProblem }).data;
    } finally {
      socket.disconnect();
    }
    throw new Error('The handshake was not refused.');
  }

  private static open(
    url: string,
    auth: object,
    path: string = DEVICE_SOCKET_PATH,
  ): Socket<DeviceDownlinks, DeviceReports> {
    return io(url, { path, auth, transports: ['websocket'], reconnection: false, forceNew: true, timeout: 5_000 });
  }

  /** Any report with any body. @returns its acknowledgement */
  say(report: DeviceReport | (string & {}), body: unknown): Promise<ReportAnswer> {
    const socket = this.socket as unknown as {
      timeout(ms: number): { emitWithAck(...said: unknown[]): Promise<unknown> };
    };
    return socket.timeout(5_000).emitWithAck(report, body) as Promise<ReportAnswer>;
  }

  /** Without an acknowledgement. */
  tell(report: DeviceReport, body: object): void {
    (this.socket as unknown as { emit(report: string, body: object): void }).emit(report, body);
  }

  /** A heartbeat that says no more than that. */
  beat(): Promise<ReportAnswer> {
    return this.say('device_heartbeat', { boot: this.boot, uptimeMs: uptimeMs() });
  }

  get orders(): Order[] {
    return this.received.map(({ signed }) => JSON.parse(signed.order) as Order);
  }

  waitForOrder(count = 1): Promise<Order> {
    return eventually(`order ${String(count)} on the socket`, () => this.orders[count - 1]);
  }

  async closed(): Promise<SocketProblem | undefined> {
    await eventually('the socket is closed', () => this.socket.disconnected);
    return this.closing;
  }

  /** Without a goodbye. */
  cut(): void {
    (this.socket.io.engine as unknown as { transport: { ws: { terminate(): void } } }).transport.ws.terminate();
  }

  end(): void {
    this.socket.disconnect();
  }
}

function connected(socket: Socket<DeviceDownlinks, DeviceReports>): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
}
