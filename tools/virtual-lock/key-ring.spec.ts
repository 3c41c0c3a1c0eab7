import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeyRing, keysFromUrl, type KeySource } from './key-ring.js';
import { TestSigner } from './signer.js';

const signal = new AbortController().signal;
const [first, second] = [new TestSigner('first').publicJwk, new TestSigner('second').publicJwk];
const ringOf = (source: KeySource, restMs: number, logged: string[] = []): KeyRing =>
  new KeyRing(source, (_kind, text) => logged.push(text), signal, restMs);

describe('the key ring', () => {
  it('takes a new set whole: a key that is gone is trusted no longer', async () => {
    const sets = [[first], [second]];
    const ring = ringOf(() => Promise.resolve({ keys: sets.shift() }), 0);
    await ring.fill();
    expect([...ring.keys.keys()]).toEqual(['first']);
    expect(await ring.lookAgain()).toBe(true);
    expect([...ring.keys.keys()]).toEqual(['second']);
  });

  it('keeps its keys when the new ones cannot be had or are no good, and says so', async () => {
    const logged: string[] = [];
    const answers: (() => Promise<unknown>)[] = [
      () => Promise.resolve({ keys: [first] }),
      () => Promise.reject(new Error('no route')),
      () => Promise.resolve({ keys: [] }),
    ];
    const ring = ringOf(() => answers.shift()?.() ?? Promise.reject(new Error('asked too often')), 0, logged);
    await ring.fill();
    expect([await ring.lookAgain(), await ring.lookAgain()]).toEqual([false, false]);
    expect([...ring.keys.keys()]).toEqual(['first']);
    expect(logged).toContain('cannot get the order keys: no route');
  });

  it('tries again at the start until there are keys', async () => {
    let attempts = 0;
    const ring = ringOf(() => Promise.resolve((attempts += 1) < 2 ? null : { keys: [first] }), 0);
    await ring.fill();
    expect([attempts, ring.keys.size]).toEqual([2, 1]);
  });

  it('does not look again so soon', async () => {
    let attempts = 0;
    const ring = ringOf(() => Promise.resolve({ keys: [(attempts += 1) ? first : second] }), 60_000);
    await ring.fill();
    expect(await ring.lookAgain()).toBe(false);
    expect(attempts).toBe(1);
  });

  it('looks once for many that ask at the same time', async () => {
    let attempts = 0;
    const ring = ringOf(() => Promise.resolve({ keys: [(attempts += 1) ? first : second] }), 0);
    expect(await Promise.all([ring.lookAgain(), ring.lookAgain(), ring.lookAgain()])).toEqual([true, true, true]);
    expect(attempts).toBe(1);
  });
});

describe('keys over HTTP', () => {
  const served = async (answer: RequestListener, use: (url: string) => Promise<void>): Promise<void> => {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await use(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it('are read as JSON', async () => {
    await served(
      (_request, response) => response.end(JSON.stringify({ keys: [first] })),
      async (url) => {
        expect(await keysFromUrl(url)(signal)).toEqual({ keys: [first] });
      },
    );
  });

  it.each<[string, RequestListener, string]>([
    ['an error', (_request, response) => response.writeHead(503).end('{}'), 'answered 503'],
    ['a page', (_request, response) => response.end('<html>'), 'JSON'],
    [
      'a redirection to elsewhere',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      'fetch failed',
    ],
    ['more than any key set needs', (_request, response) => response.end('x'.repeat(70_000)), 'larger than'],
  ])('are not taken from %s', async (_what, answer, reason) => {
    await served(answer, async (url) => {
      await expect(keysFromUrl(url)(signal)).rejects.toThrow(reason);
    });
  });
});
