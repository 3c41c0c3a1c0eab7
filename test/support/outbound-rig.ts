import type { Socket } from 'node:net';
import { expect } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { NameResolver } from '../../src/platform/outbound/name-resolver.js';
import {
  type OutboundAnswer,
  OutboundClient,
  type OutboundRequest,
} from '../../src/platform/outbound/outbound-client.js';
import { OutboundModule } from '../../src/platform/outbound/outbound.module.js';
import { OutboundError } from '../../src/platform/outbound/outbound.errors.js';
import { DnsServer, type DnsZone } from './dns-server.js';
import { TcpServer } from './tcp-server.js';

/** Where receivers are that may be called. 127.0.0.1 is inside. */
export const OUTSIDE = '::1';
export const OUTSIDE_NETWORK = '::1/128';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Clients, receivers and name servers of one test. */
export class OutboundRig {
  readonly modules: TestingModule[] = [];
  readonly #servers: { close: () => Promise<void> }[] = [];

  /** It is closed after the test. */
  kept<T extends { close: () => Promise<void> }>(server: T): T {
    this.#servers.push(server);
    return server;
  }

  async clientWith(allowed = '', dns?: DnsServer): Promise<OutboundClient> {
    const config = loadConfig({
      NODE_ENV: 'test',
      DATABASE_URL: 'postgres://nowhere',
      REDIS_URL: 'redis://nowhere',
      MASTER_KEY: Buffer.alloc(32).toString('base64'),
      OUTBOUND_ALLOWED_NETWORKS: allowed,
    });
    const builder = Test.createTestingModule({ imports: [ConfigModule.with(config), MetricsModule, OutboundModule] });
    if (dns) {
      builder.overrideProvider(NameResolver).useValue(new NameResolver({ servers: [dns.address] }));
    }
    const module = await builder.compile();
    await module.init();
    this.modules.push(module);
    return module.get(OutboundClient);
  }

  async zoned(zone: DnsZone): Promise<DnsServer> {
    return this.kept(await DnsServer.start(zone));
  }

  async receiver(onRequest: (socket: Socket, head: string) => void): Promise<{ url: string; server: TcpServer }> {
    const server = this.kept(await TcpServer.answering(OUTSIDE, onRequest));
    return { url: `http://[${OUTSIDE}]:${String(server.port)}/hook`, server };
  }

  async close(): Promise<void> {
    await Promise.all(this.modules.splice(0).map((module) => module.close()));
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }
}

export function call(
  client: OutboundClient,
  url: string,
  request: Partial<OutboundRequest> = {},
): Promise<OutboundAnswer> {
  return client.send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    ...request,
  });
}

/** The status of the answer, or why there is none; what is said of it names nothing of the inside. */
export async function outcomeOf(sent: Promise<OutboundAnswer>): Promise<string | number> {
  try {
    return (await sent).status;
  } catch (error) {
    expect(error).toBeInstanceOf(OutboundError);
    const { reason, message } = error as OutboundError;
    expect(message).not.toMatch(/127\.0|::1|\bE[A-Z]{4,}\b/);
    return reason;
  }
}

export function answering(text: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(text);
  };
}
