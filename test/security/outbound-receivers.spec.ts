/**
 * What a receiver of calls can do to us: each is over in its time, with a bounded answer and little memory, and slows no other. Seen
 * failing on broken builds: outbound.spec.ts names them.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { VERSION } from '../../src/config/build.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { InvalidOutboundHeaderError, type OutboundError } from '../../src/platform/outbound/outbound.errors.js';
import { dripping, endless, ending, HEAD } from '../support/hostile-receiver.js';
import { answering, call, OK, OUTSIDE, OUTSIDE_NETWORK, outcomeOf, OutboundRig } from '../support/outbound-rig.js';
import { selfSigned } from '../support/self-signed.js';
import { eventually } from '../support/wait.js';

const rig = new OutboundRig();

afterEach(() => rig.close());

const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n';
const HOSTILE: readonly [what: string, outcome: string | number, onRequest: (socket: Socket) => void][] = [
  ['says nothing', 'timed_out', () => undefined],
  ['drips the status', 'timed_out', dripping('HTTP/1.1 200 ')],
  ['drips a header', 'timed_out', dripping(`${HEAD}X-A: `)],
  ['drips the body', 'timed_out', dripping(`${HEAD}Content-Length: 4000\r\n\r\n`)],
  ['sends headers without end', 'invalid_answer', endless(HEAD, `X-A: ${'a'.repeat(500)}\r\n`.repeat(100))],
  ['sends one header without end', 'invalid_answer', endless(`${HEAD}X-A: `, 'a'.repeat(10_000))],
  ['sends 103 without end', 'invalid_answer', endless('', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000))],
  ['sends a body without end', 200, endless(`${HEAD}\r\n`, 'a'.repeat(65_536))],
  ['sends chunks without end', 200, endless(CHUNKED, `1000\r\n${'a'.repeat(4_096)}\r\n`)],
  ['sends a chunk extension without end', 'timed_out', endless(`${CHUNKED}1;`, 'a'.repeat(10_000))],
  [
    'resets within the body',
    'connection_failed',
    (socket) => {
      socket.write(`${HEAD}Content-Length: 100\r\n\r\nabc`, () => setTimeout(() => socket.resetAndDestroy(), 20));
    },
  ],
  ['ends within the body', 'connection_failed', ending(`${HEAD}Content-Length: 100\r\n\r\nabc`)],
  ['closes without an answer', 'connection_failed', ending('')],
  ['speaks another protocol', 'invalid_answer', ending('220 mail.example.com ESMTP\r\n')],
  ['switches protocols', 'connection_failed', answering(UPGRADE)],
  ['sends two lengths', 'invalid_answer', answering(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`)],
];

describe('A call to a receiver', () => {
  it('sends what is meant, and nothing more', async () => {
    const heads: string[] = [];
    const { url } = await rig.receiver((socket, head) => {
      heads.push(head);
      socket.write(
        'HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: a=b\r\n__proto__: x\r\nContent-Length: 5\r\n\r\n\xe4h\0!?',
      );
    });
    const client = await rig.clientWith(OUTSIDE_NETWORK);
    const got = await call(client, `${url}?a=1`, { headers: { 'X-Signature': 'v1,abc' } });
    expect(got).toEqual({
      status: 201,
      headers: expect.objectContaining({ 'x-a': '1, 2', 'set-cookie': 'a=b' }),
      body: expect.stringMatching(/h\ufffd!/),
      durationMs: expect.any(Number),
    });
    await call(client, url);
    expect(heads[0]?.split('\r\n').sort()).toEqual(
      [
        'POST /hook?a=1 HTTP/1.1',
        `host: ${new URL(url).host}`,
        'connection: keep-alive',
        'x-signature: v1,abc',
        `user-agent: Mortise/${VERSION}`,
        'accept-encoding: identity',
        'content-length: 2',
        '',
        '{}',
      ].sort(),
    );
    expect(heads[1]).not.toMatch(/cookie|referer/i);
  });

  it.each([
    'Host',
    'connection',
    'Transfer-Encoding',
    'content-length',
    'cookie',
    'Expect',
    'Proxy-Authorization',
    'user-agent',
    'a b',
    'x:y',
    '',
  ])('has no header %j of its caller', async (name) => {
    await expect(call(await rig.clientWith(), 'https://example.com/', { headers: { [name]: 'x' } })).rejects.toThrow(
      InvalidOutboundHeaderError,
    );
  });

  it('has no line break in a header', async () => {
    await expect(
      call(await rig.clientWith(), 'https://example.com/', { headers: { 'x-a': 'b\r\nc: d' } }),
    ).rejects.toThrow(InvalidOutboundHeaderError);
  });

  it.each(HOSTILE)('that %s is over in its time, with little memory: %s', async (_what, outcome, onRequest) => {
    const { url, server } = await rig.receiver((socket, head) => {
      if (head.startsWith('POST')) {
        onRequest(socket);
      }
    });
    const client = await rig.clientWith(OUTSIDE_NETWORK);
    const before = process.memoryUsage().rss;
    const began = performance.now();
    const sent = call(client, url, { timeoutMs: 1_000 });
    expect(await outcomeOf(sent)).toBe(outcome);
    expect(performance.now() - began).toBeLessThan(2_500);
    if (outcome === 200) {
      expect((await sent).body).toBe('a'.repeat(4_096));
    }
    await eventually('the connection is closed', () => server.open === 0);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_024 ** 2);
  });

  it('reads a bomb of gzip as it came', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1_024 ** 2));
    const { url } = await rig.receiver((socket) => {
      socket.write(`${HEAD}Content-Encoding: gzip\r\nContent-Length: ${String(bomb.length)}\r\n\r\n`);
      socket.write(bomb);
    });
    const got = await call(await rig.clientWith(OUTSIDE_NETWORK), url);
    expect([got.status, got.body.length <= 4_096, got.headers['content-encoding']]).toEqual([200, true, 'gzip']);
  });

  it('is given up by its caller, also while it waits for its turn', async () => {
    const { url, server } = await rig.receiver(() => undefined);
    const client = await rig.clientWith(OUTSIDE_NETWORK);
    const giveUp = new AbortController();
    const sent = Array.from({ length: 4 }, () => client.send({ url, method: 'GET', headers: {} }, giveUp.signal));
    const outcomes = Promise.all(sent.map(outcomeOf));
    await eventually('two are under way', () => server.open === 2);
    await pause(100);
    expect(server.connections).toBe(2);
    giveUp.abort();
    expect(await outcomes).toEqual(['aborted', 'aborted', 'aborted', 'aborted']);
    await eventually('its connections are closed', () => server.open === 0);
  });

  it('is not slowed by one that hangs, nor by name servers that are silent', async () => {
    const hanging = await rig.receiver(() => undefined);
    const prompt = await rig.receiver(answering(OK));
    const dns = await rig.zoned((name) => (name.startsWith('silent') ? null : [OUTSIDE]));
    const client = await rig.clientWith(OUTSIDE_NETWORK, dns);
    const hostile = [
      ...Array.from({ length: 40 }, () => call(client, hanging.url, { timeoutMs: 4_000 })),
      ...Array.from({ length: 40 }, (_, n) =>
        call(client, `https://silent${String(n)}.example.com/`, { timeoutMs: 4_000 }),
      ),
    ].map(outcomeOf);
    const times: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const { durationMs } = await call(client, `http://prompt.example.com:${new URL(prompt.url).port}/`);
      times.push(durationMs);
    }
    const slowest = Math.max(...times);
    expect(slowest).toBeLessThan(1_000);
    process.stdout.write(
      `  beside 40 calls that hang and 40 silent name servers, the slowest of 50 took ${slowest.toFixed(1)} ms\n`,
    );
    const outcomes = await Promise.all(hostile);
    expect(new Set(outcomes.slice(0, 40))).toEqual(new Set(['timed_out']));
    expect(new Set(outcomes.slice(40))).toEqual(new Set(['name_not_found']));
  });

  it('keeps a connection for four seconds at most, and counts what came of its calls', async () => {
    const { url, server } = await rig.receiver(
      answering(`HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 2\r\n\r\nok`),
    );
    const client = await rig.clientWith(OUTSIDE_NETWORK);
    await call(client, url);
    await pause(50);
    await call(client, url);
    expect([server.connections, server.open]).toEqual([1, 1]);
    await eventually('it is closed', () => server.open === 0, 8_000);
    await outcomeOf(call(client, 'https://127.0.0.1/'));
    const text = await rig.modules[0]?.get(Metrics).render();
    expect(text).toContain('mortise_outbound_requests_total{outcome="answered"} 2');
    expect(text).toContain('mortise_outbound_requests_total{outcome="address_not_allowed"} 1');
    expect(text).toContain('mortise_outbound_seconds_count 3');
  });

  it('ends with the application', async () => {
    const { url, server } = await rig.receiver(() => undefined);
    const outcome = outcomeOf(call(await rig.clientWith(OUTSIDE_NETWORK), url));
    await eventually('it is under way', () => server.open === 1);
    await rig.modules.splice(0)[0]?.close();
    expect(await outcome).toBe('aborted');
    await eventually('its connection is closed', () => server.open === 0);
  });

  it('trusts no certificate but of an authority, and of the host that was meant', async () => {
    const { key, cert } = selfSigned('good.example.com');
    const dns = await rig.zoned(() => [OUTSIDE]);
    const tls = createServer({ key, cert }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(OK));
    });
    await new Promise<void>((resolve) => tls.listen({ port: 0, host: OUTSIDE }, resolve));
    rig.kept({
      close: () =>
        new Promise((resolve) =>
          tls.close(() => {
            resolve();
          }),
        ),
    });
    const { port } = tls.address() as { port: number };
    const to = async (name: string): Promise<unknown> =>
      call(await rig.clientWith(OUTSIDE_NETWORK, dns), `https://${name}.example.com:${String(port)}/`).then(
        ({ status }) => status,
        (error: unknown) => (error as OutboundError).message,
      );
    const trusted = getCACertificates('default');
    expect(await to('good')).toBe('No secure connection came about: DEPTH_ZERO_SELF_SIGNED_CERT.');
    setDefaultCACertificates([...trusted, cert]);
    try {
      expect([await to('good'), await to('other')]).toEqual([
        200,
        'No secure connection came about: ERR_TLS_CERT_ALTNAME_INVALID.',
      ]);
    } finally {
      setDefaultCACertificates(trusted);
    }
  });
});
