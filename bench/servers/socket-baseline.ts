/**
 * Socket.IO without anything around it: one namespace, one room, no authentication. With BARE=1 not even that: one
 * frame of WebSocket, made once, written to every connection.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { nowMs } from '../support/monotonic.js';
import { textFrame } from '../support/websocket-frames.js';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** As long as what Mortise sends of an event. */
const MESSAGE = {
  cursor: 'MS4xMjM0NS42Nzg5',
  id: '4711',
  type: 'motion_detected',
  deviceId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  commandId: null,
  actor: 'system',
  occurredAt: '2026-11-20T18:00:00.000Z',
  receivedAt: '2026-11-20T18:00:00.120Z',
  version: null,
};
const http = createServer();
const emit = process.env.BARE === '1' ? serveBare() : serveSocketIo();
let events = 0;

http.on('request', ({ url = '' }, response) => {
  const count = Number(new URL(url, 'http://localhost').searchParams.get('count') ?? 0);
  const marks = Array.from({ length: count }, () => `event-${String((events += 1))}`);
  const sinceMs = nowMs();
  marks.forEach((zone) => {
    emit({ ...MESSAGE, payload: { zone } });
  });
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ marks, sinceMs }));
});
http.listen(Number(process.env.PORT), '127.0.0.1');

function serveSocketIo(): (message: object) => void {
  const io = new Server(http, {
    transports: ['websocket'],
    perMessageDeflate: false,
    serveClient: false,
    pingInterval: 20_000,
    pingTimeout: 20_000,
  });
  io.on('connection', (socket) => socket.join('all'));
  return (message) => io.to('all').emit('motion_detected', message);
}

function serveBare(): (message: object) => void {
  const connections = new Set<Duplex>();
  http.on('upgrade', ({ headers }: IncomingMessage, connection: Duplex) => {
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key'] ?? ''}${MAGIC}`)
      .digest('base64');
    connection.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    connection.write(textFrame('0{}', { masked: false }));
    connection.once('data', () => {
      connection.write(textFrame('40{}', { masked: false }));
      connections.add(connection);
    });
    connection.on('error', () => undefined);
    // An HTTP server leaves its side open.
    connection.once('end', () => connection.end());
    connection.once('close', () => connections.delete(connection));
    connection.resume();
  });
  return (message) => {
    const frame = textFrame(`42${JSON.stringify(['motion_detected', message])}`, { masked: false });
    connections.forEach((connection) => connection.write(frame));
  };
}
