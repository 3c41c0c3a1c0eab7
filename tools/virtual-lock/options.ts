import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { HEARTBEAT_INTERVAL_MS } from '../../src/contracts/mqtt.js';
import { FAULTS, Faults } from './faults.js';
import { keysFromFile, keysFromUrl, type KeySource } from './key-ring.js';
import { isUuid } from './parse-order.js';

/** A mistake on the command line: its message is shown without a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface LockOptions {
  deviceId: string;
  token: string;
  url: string;
  username: string;
  keys: KeySource;
  journalPath?: string;
  faults: Faults;
  heartbeatMs: number;
  name: string;
  json: boolean;
}

const DEFAULT_URL = 'mqtt://127.0.0.1:1883';
const DEFAULT_KEYS = 'http://127.0.0.1:3000/.well-known/order-keys.json';
const FLAGS = {
  id: { type: 'string' },
  token: { type: 'string' },
  url: { type: 'string', default: DEFAULT_URL },
  username: { type: 'string' },
  password: { type: 'string' },
  keys: { type: 'string' },
  'keys-file': { type: 'string' },
  state: { type: 'string' },
  fault: { type: 'string', multiple: true, default: [] },
  'heartbeat-ms': { type: 'string', default: String(HEARTBEAT_INTERVAL_MS) },
  name: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsConfig['options'];

export const HELP = `A simulated door lock for Mortise. It implements the device's side of docs/protocol.md.

  npm run lock -- --id <device id> --token <device token> [options]

  --id, --token     from POST /api/v1/devices (MORTISE_LOCK_TOKEN instead of --token keeps it out of the process list)
  --url             the broker, mqtt:// or mqtts:// (${DEFAULT_URL})
  --username, --password   if the broker knows the lock by others than its id and token
  --keys            where the public order keys are (${DEFAULT_KEYS})
  --keys-file       or a file that holds them
  --state           keeps movements in <state>.actuations.ndjson, or <state>/<id>.actuations.ndjson for a directory
  --heartbeat-ms    pause between heartbeats (30000)
  --name            what to call it in what it prints
  --json            prints one JSON object per line
  --fault           misbehaves, one or several separated by commas:
${Object.entries(FAULTS)
  .map(([name, what]) => `                      ${name.padEnd(17)} ${what}`)
  .join('\n')}

While it runs, type what a hand at the door would do:
  motion | door open | door close | knob lock | knob unlock | battery <percent> | restart | status
`;

/** The options, or undefined when help was asked for. */
export function readOptions(args: string[], tokenFromEnvironment?: string): LockOptions | undefined {
  const { values } = parsed(args);
  if (values.help) {
    return undefined;
  }
  const deviceId = deviceIdOf(values.id);
  const token = values.password ?? values.token ?? tokenFromEnvironment;
  const journalPath = values.state && journalAt(values.state, deviceId);
  return {
    deviceId,
    token: required(token, '--token', 'the device token, shown once when the device was registered'),
    url: addressOf(values.url, '--url', ['mqtt:', 'mqtts:']),
    username: values.username ?? deviceId,
    keys: keySource(values.keys, values['keys-file']),
    ...(journalPath ? { journalPath } : {}),
    faults: new Faults(values.fault.flatMap((list) => list.split(',')).filter((entry) => entry !== '')),
    heartbeatMs: milliseconds(values['heartbeat-ms']),
    name: values.name ?? `lock ${deviceId.slice(0, 8)}`,
    json: values.json,
  };
}

function parsed(args: string[]): ReturnType<typeof parseArgs<{ args: string[]; options: typeof FLAGS }>> {
  try {
    return parseArgs({ args, options: FLAGS });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\nSee --help.`);
  }
}

function deviceIdOf(value: string | undefined): string {
  const id = required(value, '--id', 'the id of the device, as answered when it was registered');
  if (!isUuid(id)) {
    throw new UsageError(`--id ${String(value)} is no device id: expected a UUID in lower case.`);
  }
  return id;
}

function required(value: string | undefined, flag: string, what: string): string {
  if (value === undefined || value === '') {
    throw new UsageError(`${flag} is missing: ${what}. See --help.`);
  }
  return value;
}

function keySource(url = DEFAULT_KEYS, file?: string): KeySource {
  return file === undefined ? keysFromUrl(addressOf(url, '--keys', ['http:', 'https:'])) : keysFromFile(file);
}

function addressOf(value: string, flag: string, schemes: readonly string[]): string {
  if (!URL.canParse(value) || !schemes.includes(new URL(value).protocol)) {
    throw new UsageError(`${flag} ${value} is no address: expected one that begins with ${schemes.join('// or ')}//.`);
  }
  return value;
}

function milliseconds(value: string): number {
  const ms = Number(value);
  if (!Number.isInteger(ms) || ms < 10 || ms > 3_600_000) {
    throw new UsageError(`--heartbeat-ms ${value}: expected whole milliseconds from 10 to 3600000.`);
  }
  return ms;
}

function journalAt(state: string, deviceId: string): string {
  const isDirectory = state.endsWith(sep) || statSync(state, { throwIfNoEntry: false })?.isDirectory() === true;
  return `${isDirectory ? join(state, deviceId) : state}.actuations.ndjson`;
}
