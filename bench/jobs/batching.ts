import { randomUUID } from 'node:crypto';
import type { Socket as TcpSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { Failure } from '../../tools/stack/failure.js';
import { print } from '../../tools/stack/steps.js';
import { waitUntil } from '../../tools/stack/wait-until.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { startMortise } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { sql } from '../support/sql.js';

const [BURSTS, EVENTS] = [50, 20];
/** Headers of IPv4 and TCP, of one segment for each message: what is in one packet with others on this machine need not be elsewhere. */
const SEGMENT_BYTES = 40;
const AGREED = { payload: 0.3, wire: 0.25 };

/** One connection with what came over it. */
interface Listener {
  readonly socket: Socket;
  events: number;
  messages: number;
  payloadBytes: number;
}

/** As doors report what commands have done: each of another device, with ids of its own. */
const BURST = `INSERT INTO events (received_at, type, source, device_id, user_id, actor, command_id, occurred_at, version, payload)
  SELECT clock_timestamp(), 'door_status_changed', 'mqtt', r.device, $1, 'device:' || r.device, r.command,
         clock_timestamp() - random() * interval '200 ms', (random() * 500)::int,
         jsonb_build_object('lockState', (ARRAY['locked', 'unlocked'])[1 + r.place % 2], 'commandId', r.command)
    FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS r(device, command, place)`;

/** 20 events of one window to a socket that asked for them together, and to one that did not: what each is sent. */
export async function batching(services: Services): Promise<void> {
  const server = await startMortise(services);
  const { ownerId, accessToken, devices } = await createOwnerWithDevices(server.url, EVENTS);
  const [together, alone] = [await listen(server.url, accessToken, true), await listen(server.url, accessToken, false)];
  const before = [together, alone].map(({ socket }) => bytesReadBy(socket));
  for (let burst = 1; burst <= BURSTS; burst += 1) {
    const ids = devices.map(({ id }) => id);
    await sql(services, BURST, [ownerId, ids, ids.map(() => randomUUID())]);
    await waitUntil(() => [together, alone].every(({ events }) => events >= burst * EVENTS), {
      withinMs: 10_000,
      everyMs: 5,
      otherwise: () => new Failure('A burst of events was not heard.'),
    });
  }
  const [ours = NaN, theirs = NaN] = [together, alone].map(
    (each, index) => bytesReadBy(each.socket) - (before[index] ?? 0) + each.messages * SEGMENT_BYTES,
  );
  const ratios = { payload: together.payloadBytes / alone.payloadBytes, wire: ours / theirs };
  print(`\n### Events together: ${String(BURSTS)} bursts of ${String(EVENTS)} events with random ids\n`);
  print(`- bytes of messages, together / each by itself: **${ratios.payload.toFixed(3)}**`);
  print(`- bytes on the wire (read from the socket, and 40 of each segment): **${ratios.wire.toFixed(3)}**`);
  print(`- messages: ${String(together.messages)} / ${String(alone.messages)}, events: ${String(together.events)}`);
  [together, alone].forEach(({ socket }) => socket.disconnect());
  await server.stop();
  if (ratios.payload > AGREED.payload || ratios.wire > AGREED.wire) {
    throw new Failure('Events together are larger than agreed.');
  }
}

async function listen(url: string, token: string, batch: boolean): Promise<Listener> {
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    auth: { token, clientType: 'dashboard', batch },
  });
  const listener: Listener = { socket, events: 0, messages: 0, payloadBytes: 0 };
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  socket.io.engine.on('packet', ({ type, data }) => {
    if (type === 'message') {
      listener.messages += 1;
      // The type of the packet is its first byte.
      listener.payloadBytes += Buffer.byteLength(String(data)) + 1;
    }
  });
  socket.onAny((name: string, message: { readonly payload: readonly unknown[] }) => {
    listener.events += name === 'events' ? message.payload.length : 1;
  });
  return listener;
}

/** Of the connection below WebSocket: messages with their headers. */
function bytesReadBy(socket: Socket): number {
  const transport = socket.io.engine.transport as unknown as { readonly ws: { readonly _socket: TcpSocket } };
  return transport.ws._socket.bytesRead;
}
