import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';
import type { RegisteredDevice } from './devices.fixture.js';

const messages = (channel: string): string[] => [`mortise_mqtt_messages_total{channel="${channel}"}`];
const refused = (operation: string, ...codes: string[]): string[] =>
  codes.map((code) => `mortise_mqtt_operations_refused_total{operation="${operation}",code="${code}"}`);

/** What a device sends far too much of, and the metrics by which the server notices it. */
export const HOSTILITIES = {
  acks: messages('acks'),
  births: messages('status'),
  boots: messages('events'),
  events: messages('events'),
  heartbeats: messages('heartbeat'),
  garbage: messages('heartbeat'),
  payloads: messages('events'),
  'events at QoS 1': messages('events'),
  'events over four connections': messages('events'),
  subscriptions: refused('subscribe', 'foreign_topic'),
  /** Last: then the address has failed too often. */
  logins: refused('connect', 'bad_token', 'too_many_failures'),
} as const;
export type Hostility = keyof typeof HOSTILITIES;

/** Packets of a tick of 5 ms: what one process can make without a whole core. A large payload costs as much as many. */
const PACKETS_PER_TICK: Readonly<Partial<Record<Hostility, number>>> = { payloads: 1 };
const DEFAULT_PACKETS = 20;

/** A device gone mad: see hostile-device-process.mjs. */
export class HostileDevice {
  private constructor(
    private readonly process: ChildProcess,
    private readonly nullPort: number,
  ) {}

  static async start(): Promise<HostileDevice> {
    const child = fork(join(ROOT, 'test', 'support', 'hostile-device-process.mjs'), { execArgv: [] });
    const [{ nullPort }] = (await once(child, 'message')) as [{ nullPort: number }];
    return new HostileDevice(child, nullPort);
  }

  /** Sends to the broker, or with null to a port that takes nothing. */
  async attack(kind: Hostility, device: RegisteredDevice, brokerUrl: string | null): Promise<void> {
    const port = brokerUrl === null ? this.nullPort : Number(new URL(brokerUrl).port);
    await this.tell({ kind, ...device, port, packetsPerTick: PACKETS_PER_TICK[kind] ?? DEFAULT_PACKETS });
  }

  /** @returns how many packets left since the attack began. */
  rest(): Promise<number> {
    return this.tell({});
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill();
    await ended;
  }

  private async tell(message: object): Promise<number> {
    const answer = once(this.process, 'message') as Promise<[{ sent: number }]>;
    this.process.send(message);
    const [{ sent }] = await answer;
    return sent;
  }
}
