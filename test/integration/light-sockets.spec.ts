/**
 * The cheap client of benchmarks and storms hears what a real client of Socket.IO hears, and that costs few writes.
 * Seen to fail: with a reader that lost the bytes of a frame that arrived in two pieces; without `writeTogether`.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpAdapterHost } from '@nestjs/core';
import { io } from 'socket.io-client';
import { LightSocket } from '../../bench/support/light-socket.js';
import { insertHouse, type House } from '../../bench/support/people.js';
import { FrameReader, textFrame } from '../../bench/support/websocket-frames.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { Dashboard } from '../support/dashboard.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const EVENTS = 40;

let app: TestApp;
let house: House;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api,worker' } });
  const tokens = app.get(AccessTokenFactory);
  house = await insertHouse(
    (text, values) => app.rows(text, values),
    (person) => tokens.sign(person),
    2,
  );
});

afterAll(() => app.stop());

/** Events with payloads of all sizes: the length of a frame is written in two ways. */
async function appendEvents(): Promise<void> {
  const { deviceId, ownerId } = house;
  for (let index = 0; index < EVENTS; index += 1) {
    const payload = { zone: 'z'.repeat(index * 10) };
    await app.get(Transactions).run(() =>
      app.get(EventLog).append({
        type: 'motion_detected',
        payload,
        source: 'system',
        actor: 'system',
        deviceId,
        userId: ownerId,
      }),
    );
  }
}

/** How often the server writes to clients that connect from now on. */
function countWrites(): { writes: number; stop(): void } {
  const server = app.get(HttpAdapterHost).httpAdapter.getHttpServer() as Server;
  const count = (socket: Socket): void => {
    const writing = socket as unknown as { _writeGeneric: (...args: unknown[]) => unknown };
    const write = writing._writeGeneric.bind(socket);
    writing._writeGeneric = (...args) => {
      counted.writes += 1;
      return write(...args);
    };
  };
  const counted = { writes: 0, stop: () => server.off('connection', count) };
  server.on('connection', count);
  return counted;
}

describe('What waits for a dashboard', () => {
  it('is sent in a few writes, and not in one for each event, when it catches up', async () => {
    const auth = { token: house.members[1]?.accessToken ?? '', clientType: 'dashboard' };
    const before = await Dashboard.connect(app.url, auth);
    await appendEvents();
    await eventually('it has heard all', () => before.received.length === EVENTS);
    before.close();
    const counted = countWrites();
    const lastCursor = before.received[0]?.message.cursor;
    const back = await Dashboard.connect(app.url, { ...auth, lastCursor });
    await eventually('it has caught up', () => back.received.length === EVENTS - 1);
    counted.stop();
    expect(back.received).toEqual(before.received.slice(1));
    // The upgrade, the two handshakes, and what was missed: the first event goes at once, the others follow together.
    expect(counted.writes).toBeGreaterThan(0);
    expect(counted.writes).toBeLessThan(10);
    back.close();
  });

  it('is sent so, too, to a client that began by polling, when much happens at once', async () => {
    const counted = countWrites();
    const auth = { token: house.members[1]?.accessToken ?? '', clientType: 'dashboard' };
    const client = io(app.url, { auth, transports: ['polling', 'websocket'], reconnection: false, forceNew: true });
    let heard = 0;
    client.onAny(() => {
      heard += 1;
    });
    await new Promise((resolve) => client.io.engine.once('upgrade', resolve));
    await eventually('it is connected', () => client.connected);
    counted.stop();
    const before = counted.writes;
    await app.get(Transactions).run(appendEvents);
    await eventually('it has heard all', () => heard === EVENTS);
    expect(counted.writes).toBeGreaterThan(before);
    expect(counted.writes - before).toBeLessThan(10);
    client.disconnect();
  });
});

describe('the light client', () => {
  it('hears what the real client hears, in the same order', async () => {
    const token = house.members[1]?.accessToken ?? '';
    const real = await Dashboard.signedIn(app.url, token);
    const heard: unknown[] = [];
    const light = await LightSocket.connect({
      url: app.url,
      auth: { token, clientType: 'dashboard' },
      onEvent: (json) => heard.push(JSON.parse(json)),
    });
    await appendEvents();
    await eventually('both have heard all', () => real.heard.length >= EVENTS && heard.length >= EVENTS);
    expect(heard).toEqual(real.heard.map(({ name, payload }) => [name, payload]));
    expect(heard).toHaveLength(EVENTS);
    light.leave();
    real.close();
    await eventually(
      'the server knows that both have left',
      async () => (await app.metric('mortise_dashboard_sockets')) === 0,
    );
  });

  it('is told why it is refused, as the real client is', async () => {
    const auth = { token: 'none', clientType: 'dashboard' };
    const told = LightSocket.connect({ url: app.url, auth, onEvent: () => undefined }).catch(
      (error: unknown): unknown => JSON.parse((error as Error).message),
    );
    const { data } = (await Dashboard.connect(app.url, auth).catch((error: unknown) => error)) as { data: unknown };
    expect(await told).toEqual({ message: 'invalid_request', data });
  });

  it('reads frames of every length, wherever they are cut', () => {
    const short = [0, 1, 125, 126, 127];
    for (const [size, lengths] of [
      [1, short],
      [2, short],
      [7, short],
      [10_000, [...short, 65_535, 65_536]],
      [1_000_000, [...short, 65_535, 65_536]],
    ] as const) {
      const texts = lengths.map((length) => 'x'.repeat(length));
      const bytes = Buffer.concat(texts.map((text) => textFrame(text, { masked: false })));
      const read: string[] = [];
      const reader = new FrameReader((_opcode, payload) => read.push(payload.toString()));
      for (let at = 0; at < bytes.length; at += size) {
        reader.read(bytes.subarray(at, at + size));
      }
      expect(read).toEqual(texts);
    }
  });
});
