import type { Server as IoServer, Socket as IoSocket } from 'socket.io';
import {
  DEVICE_SOCKET_PATH,
  type DeviceDownlinks,
  type DeviceReport,
  type DeviceReports,
} from '../../../contracts/device-sockets.js';
import { MAX_MQTT_PAYLOAD_BYTES } from '../../../contracts/mqtt.js';
import type { SocketProblem } from '../../../contracts/realtime.js';

/** Room for the name and the frame beside the payload. */
const MAX_FRAME_BYTES = MAX_MQTT_PAYLOAD_BYTES + 1_024;

const CLOSES_WITHIN_MS = 1_000;

/** Where devices connect, for every gateway of theirs. WebSocket alone: a connection that can be read slower. */
export const DEVICE_GATEWAY = {
  path: DEVICE_SOCKET_PATH,
  transports: ['websocket'],
  maxHttpBufferSize: MAX_FRAME_BYTES,
} satisfies { path: string; transports: ['websocket']; maxHttpBufferSize: number };

interface DeviceSocketData {
  /** Of the handshake that succeeded. */
  deviceId?: string;
}

type Io = IoServer<DeviceReports, DeviceDownlinks, Record<string, never>, DeviceSocketData>;
type Connection = IoSocket<DeviceReports, DeviceDownlinks, Record<string, never>, DeviceSocketData>;

/** The connection of one device, without the ways that lead from it to others. */
export type DeviceSocket = Omit<Connection, 'broadcast' | 'to' | 'in' | 'except' | 'local' | 'nsp' | 'server'>;

/** The devices of this process. Nothing is ever said to all of them. */
export type DeviceServer = Pick<Io, 'use'>;

/** What the connection below Socket.IO has that matters here. */
interface Line {
  readonly transport: {
    readonly socket?: { pause?: () => void; resume?: () => void; terminate?: () => void; bufferedAmount?: number };
  };
  readonly writeBuffer: readonly { readonly data?: string | Uint8Array }[];
  close(discard?: boolean): void;
  on(event: 'packet', listener: (packet: { readonly data?: unknown }) => void): void;
  on(event: 'close', listener: (reason: string, description?: unknown) => void): void;
}

/** What decides over what is read from a device. */
export interface DeviceReadRules {
  /** Called for every frame. @returns the milliseconds for which nothing more should be read */
  readonly pace: (bytes: number) => number;
  /** Called for what no client of the protocol sends, before the connection ends. */
  readonly onFault: (code: 'protocol_error' | 'packet_too_large') => void;
}

/** The device behind a socket whose handshake succeeded. */
export function deviceOfSocket(socket: DeviceSocket): string {
  const { deviceId } = socket.data;
  if (deviceId === undefined) {
    throw new Error('No device has shown who it is on this socket.');
  }
  return deviceId;
}

/** Ends the connection after a last message that says why. */
export function closeDeviceSocket(socket: DeviceSocket, problem: SocketProblem): void {
  socket.emit('closing', problem);
  socket.disconnect(true);
}

/** Ends the connection without waiting for the device to agree, or to read. */
export function cutDeviceSocket(socket: DeviceSocket): void {
  const line = lineOf(socket);
  line.close(true);
  line.transport.socket?.terminate?.();
}

/** Bytes that the device has not taken yet. */
export function unreadBytes(socket: DeviceSocket): number {
  const { writeBuffer, transport } = lineOf(socket);
  return writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), transport.socket?.bufferedAmount ?? 0);
}

/**
 * Reads from a device no faster than it may send: what is not read fills the sockets and makes it wait, so nothing is lost.
 * Only what has arrived together with the last frame is still read.
 */
export function limitDeviceReading(socket: DeviceSocket, { pace, onFault }: DeviceReadRules): void {
  const line = lineOf(socket);
  let pause: NodeJS.Timeout | undefined;
  let pausedUntil = 0;
  const cut = (code: Parameters<DeviceReadRules['onFault']>[0]): void => {
    onFault(code);
    cutDeviceSocket(socket);
  };
  line.on('packet', ({ data }) => {
    if (typeof data !== 'string' && data !== undefined) {
      // All that is said here is JSON.
      cut('protocol_error');
      return;
    }
    const until = performance.now() + pace(data?.length ?? 0);
    if (until > pausedUntil && until > performance.now()) {
      pausedUntil = until;
      clearTimeout(pause);
      line.transport.socket?.pause?.();
      pause = setTimeout(() => line.transport.socket?.resume?.(), until - performance.now()).unref();
    }
  });
  line.on('close', (reason, description) => {
    clearTimeout(pause);
    endLine(line);
    if (isOversized(description)) {
      onFault('packet_too_large');
    } else if (reason === 'parse error') {
      onFault('protocol_error');
    }
  });
  // Of a frame that Socket.IO cannot read. Without a listener it would be written to the console.
  (socket as unknown as NodeJS.EventEmitter).on('error', () => {
    cut('protocol_error');
  });
}

/** WebSocket waits half a minute for the consent of the other side, which it cannot read while it is paused. */
function endLine({ transport }: Line): void {
  transport.socket?.resume?.();
  setTimeout(() => {
    transport.socket?.terminate?.();
  }, CLOSES_WITHIN_MS).unref();
}

/** Answers what is no report of ours. */
export function onUnknownReport(
  socket: DeviceSocket,
  known: Readonly<Record<DeviceReport, string>>,
  answer: (name: string, ack: unknown) => void,
): void {
  socket.onAny((name: string | number, ...body: unknown[]) => {
    if (!Object.hasOwn(known, name)) {
      answer(String(name), body.at(-1));
    }
  });
}

function lineOf(socket: DeviceSocket): Line {
  return socket.conn as unknown as Line;
}

/** WebSocket closes with 1009 after a frame that is too long (RFC 6455, section 7.4.1). */
function isOversized(description: unknown): boolean {
  const text = description instanceof Error ? description.message : '';
  return text.includes('Max payload size exceeded');
}
