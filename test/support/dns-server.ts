import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

const HEADER_BYTES = 12;
const TYPES = { 1: 'A', 28: 'AAAA' } as const;
const NO_SUCH_NAME = 3;

/** The addresses of a name for the nth time it is asked; null: there is no answer at all. */
export type DnsZone = (name: string, time: number) => readonly string[] | null;

/** A DNS server (RFC 1035) that changes its mind, as that of an attacker does. Answers are good for no time. */
export class DnsServer {
  /** How often each name was asked for addresses of IPv4. */
  readonly asked = new Map<string, number>();

  private constructor(
    private readonly socket: Socket,
    private readonly zone: DnsZone,
  ) {
    socket.on('message', (question, from) => {
      const answer = this.answerTo(question);
      if (answer) {
        socket.send(answer, from.port, from.address);
      }
    });
  }

  static async start(zone: DnsZone): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket, zone);
  }

  get address(): string {
    return `127.0.0.1:${String(this.socket.address().port)}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) =>
      this.socket.close(() => {
        resolve();
      }),
    );
  }

  private answerTo(question: Buffer): Buffer | null {
    const { name, type, end } = questionOf(question);
    const kind = TYPES[type as keyof typeof TYPES] as string | undefined;
    const time = this.timeOf(name, kind === 'A');
    const all = this.zone(name, time);
    if (all === null) {
      return null;
    }
    const addresses = all.filter((address) => (isIPv4(address) ? 'A' : 'AAAA') === kind);
    const header = Buffer.alloc(HEADER_BYTES);
    question.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (all.length === 0 ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    return Buffer.concat([
      header,
      question.subarray(HEADER_BYTES, end),
      ...addresses.map((text) => recordOf(type, text)),
    ]);
  }

  /** Both kinds are asked for at once, and belong to one look-up. */
  private timeOf(name: string, isFirstKind: boolean): number {
    const asked = (this.asked.get(name) ?? 0) + (isFirstKind ? 1 : 0);
    this.asked.set(name, asked);
    return Math.max(1, asked);
  }
}

function questionOf(packet: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), end: at + 5 };
}

function recordOf(type: number, text: string): Buffer {
  const address = Buffer.from(ipaddr.parse(text).toByteArray());
  const record = Buffer.alloc(12);
  // The name of the question, class IN, no time to live.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt16BE(address.length, 10);
  return Buffer.concat([record, address]);
}
