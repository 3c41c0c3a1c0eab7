/**
 * P-25: what calls addresses that users give cannot reach inside. Servers on this machine stand for the inside and count connections of
 * TCP; ::1 is allowed where a receiver outside is needed, and 127.0.0.1 is not. What the client reaches when it may shows that the zeros count.
 * Seen failing on broken builds: without the judgement at the socket (also with that of the URL alone left out: the socket's held), with one public address among
 * several taken for enough, with a second look-up at the socket, with redirects taken for answers, without verified certificates, with 64 calls to one origin at
 * once, and without the bounds of the body and of answers of 1xx.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutboundClient } from '../../src/platform/outbound/outbound-client.js';
import { answering, call, OK, OUTSIDE, OUTSIDE_NETWORK, outcomeOf, OutboundRig } from '../support/outbound-rig.js';
import { recordFigure } from '../support/promise.js';
import { TcpServer } from '../support/tcp-server.js';

const SPELLINGS = (
  '127.0.0.1 127.1 127.0.1 2130706433 017700000001 0x7f000001 0x7f.1 0177.0.0.1 127.0.0.1. 127.8.9.1 127.255.255.254 ①②⑦.⓪.⓪.① １２７.0.0.1 １２７。0。0。1 ' +
  '%31%32%37.0.0.1 0 0.0.0.0 [::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:1] [::127.0.0.1] [::7f00:1] ' +
  '[::ffff:0:127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::1] [fe80::1%25lo] localhost LOCALHOST localhost. ' +
  'ｌocalhost a.localhost public@127.0.0.1 example.com:443@127.0.0.1 127.0.0.1\\@example.com example.com\\@127.0.0.1 127.0.\t0.1 127.0.0.\n1 169.254.169.254 [fd00:ec2::254]'
).split(' ');

const rig = new OutboundRig();
let inside: TcpServer;

beforeAll(async () => {
  // All addresses of this machine, of both kinds.
  inside = await TcpServer.answering('::', (socket) => {
    socket.write(OK);
  });
});

afterEach(() => rig.close());

afterAll(() => inside.close());

describe('P-25: a call to an address of a user', () => {
  it('reaches nothing inside, in whatever spelling', async () => {
    // Where networks are allowed, http and local names are looked up, and their addresses judged.
    const clients = [await rig.clientWith(), await rig.clientWith('192.0.2.0/24')];
    const before = inside.connections;
    const outcomes: (string | number)[][] = [];
    const urls = SPELLINGS.flatMap((host) =>
      ['http', 'https'].flatMap((scheme) => [
        `${scheme}://${host}:${String(inside.port)}/`,
        `${scheme.toUpperCase()}://${host}:${String(inside.port)}/?a=1`,
      ]),
    );
    for (const client of clients) {
      const told = await Promise.all(urls.map((url) => outcomeOf(call(client, url))));
      outcomes.push([...new Set(told)].filter((outcome) => outcome !== 'name_not_found' || client !== clients[1]));
    }
    expect(outcomes).toEqual([['address_not_allowed'], ['address_not_allowed']]);
    expect(inside.connections - before).toBe(0);
    recordFigure({
      promise: 'P-25',
      shown: `${String(SPELLINGS.length)} spellings of addresses inside, over http and https, without and with networks that are allowed:`,
      n: urls.length * clients.length,
      figure: `${String(inside.connections - before)} connections`,
    });
  });

  it('reaches a server when it may, so that the zeros count', async () => {
    const before = inside.connections;
    const client = await rig.clientWith('127.0.0.0/8,::1/128');
    for (const host of ['127.0.0.1', '2130706433', '[::ffff:7f00:1]', '[::1]', 'localhost']) {
      expect([host, await outcomeOf(call(client, `http://${host}:${String(inside.port)}/`))]).toEqual([host, 200]);
    }
    // It speaks no TLS.
    expect(await outcomeOf(call(client, `https://127.0.0.1:${String(inside.port)}/`))).toBe('tls_failed');
    expect(inside.connections - before).toBeGreaterThanOrEqual(5);
  });

  it('reaches nothing inside by a name that leads there, at once, among others or later', async () => {
    const { url, server } = await rig.receiver(answering(OK));
    const answers: Readonly<Record<string, (time: number) => readonly string[]>> = {
      plain: () => ['127.0.0.1'],
      mixed: () => [OUTSIDE, '127.0.0.1'],
      'mixed-public': () => ['8.8.8.8', '127.0.0.1'],
      mapped: () => ['::ffff:127.0.0.1'],
      translated: () => ['64:ff9b::7f00:1'],
      'six-to-four': () => ['2002:7f00:1::'],
      metadata: () => ['169.254.169.254'],
      private: () => ['10.0.0.1', 'fd00::1'],
      rebinding: (time) => (time === 1 ? [OUTSIDE] : ['127.0.0.1']),
      alternating: (time) => (time % 2 === 1 ? [OUTSIDE] : ['127.0.0.1']),
    };
    const dns = await rig.zoned((name, time) => answers[name.split('.')[0] ?? '']?.(time) ?? []);
    const before = inside.connections;
    let calls = 0;
    const to = async (client: OutboundClient, name: string, scheme = 'http', port = inside.port): Promise<unknown> => {
      calls += 1;
      return outcomeOf(call(client, `${scheme}://${name}.attacker.example.com:${String(port)}/`));
    };
    const client = await rig.clientWith(OUTSIDE_NETWORK, dns);
    for (const name of Object.keys(answers).filter((one) => !['rebinding', 'alternating'].includes(one))) {
      expect([name, await to(client, name), await to(client, name, 'https')]).toEqual([
        name,
        'address_not_allowed',
        'address_not_allowed',
      ]);
    }
    expect(server.connections).toBe(0);
    // What is judged is what is connected to: one look-up for a connection, and whatever comes later is judged anew.
    const { port } = new URL(url);
    expect(await to(client, 'rebinding', 'http', Number(port))).toBe(200);
    expect(dns.asked.get('rebinding.attacker.example.com')).toBe(1);
    for (let time = 0; time < 5; time += 1) {
      expect(await to(client, 'rebinding')).toBe('address_not_allowed');
    }
    // Without its connection, the answer of the first time is of no use.
    for (let time = 1; time <= 10; time += 1) {
      const fresh = await rig.clientWith(OUTSIDE_NETWORK, dns);
      expect(await to(fresh, 'alternating', 'http', Number(port))).toBe(time % 2 === 1 ? 200 : 'address_not_allowed');
    }
    expect(await to(client, 'unknown')).toBe('name_not_found');
    expect(inside.connections - before).toBe(0);
    recordFigure({
      promise: 'P-25',
      shown: `Names that lead inside at once, beside public addresses, in forms of IPv6, or from the second look-up on:`,
      n: calls,
      figure: `${String(inside.connections - before)} connections`,
    });
  });

  it('follows no redirect', async () => {
    const before = inside.connections;
    const client = await rig.clientWith(OUTSIDE_NETWORK);
    const statuses = [300, 301, 302, 303, 304, 307, 308];
    const targets = [`http://127.0.0.1:${String(inside.port)}/`, `http://[::1]:${String(inside.port)}/`, '/elsewhere'];
    let calls = 0;
    for (const status of statuses) {
      for (const target of targets) {
        const { url, server } = await rig.receiver(
          answering(
            `HTTP/1.1 ${String(status)} Moved\r\nLocation: ${target}\r\nRefresh: 0; url=${target}\r\nContent-Length: 0\r\n\r\n`,
          ),
        );
        for (const method of ['POST', 'GET'] as const) {
          const body = method === 'POST' ? { body: '{}' } : {};
          const sent = client.send({ url, method, headers: {}, ...body });
          expect([status, await outcomeOf(sent)]).toEqual([status, 'redirected']);
          calls += 1;
        }
        expect(server.connections).toBeGreaterThan(0);
      }
    }
    expect(inside.connections - before).toBe(0);
    recordFigure({
      promise: 'P-25',
      shown: 'Answers of 3xx that lead inside:',
      n: calls,
      figure: `${String(inside.connections - before)} connections`,
    });
  });

  it('minds no proxy of the environment', async () => {
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const saved = names.map((name) => [name, process.env[name]] as const);
    const before = inside.connections;
    names.forEach((name) => {
      process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${String(inside.port)}`;
    });
    try {
      const { url } = await rig.receiver(answering(OK));
      expect(await outcomeOf(call(await rig.clientWith(OUTSIDE_NETWORK), url))).toBe(200);
      expect(inside.connections - before).toBe(0);
    } finally {
      saved.forEach(([name, value]) => {
        if (value === undefined) {
          Reflect.deleteProperty(process.env, name);
        } else {
          process.env[name] = value;
        }
      });
    }
  });
});
