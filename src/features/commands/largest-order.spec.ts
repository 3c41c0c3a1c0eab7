import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { COMMAND_NAMES, type CommandName, type CommandPayloads } from '../../contracts/commands.js';
import { MAX_MQTT_PAYLOAD_BYTES } from '../../contracts/mqtt.js';
import type { SignedOrder } from '../../contracts/orders.js';
import { UPLINK_LIMITS } from '../../contracts/uplinks.js';
import { payloadClassOf } from './command-payloads.dto.js';
import { writeOrder } from './domain/order.js';

const DOCUMENT = readFileSync('docs/protocol.md', 'utf8');
/** Characters of the `kid` of a key: its SHA-256 thumbprint (RFC 7638), in base64url. */
const THUMBPRINT = 43;
/** The longest URL: every character of it is one byte, whatever it is. */
const URL = `https://firmware.example.com/${'a'.repeat(2_048)}`.slice(0, 2_048);
/** The largest payload that each command takes. */
const LARGEST: CommandPayloads = {
  lock_door: {},
  unlock_door: { durationMs: 30_000 },
  request_snapshot: { quality: 'medium' },
  restart_device: {},
  firmware_update: {
    version: 'v'.repeat(64),
    url: URL,
    sha256: 'f'.repeat(64),
    signature: 's'.repeat(1_024),
  },
  sync_access_codes: {},
};

const faultsOf = (name: CommandName, payload: object): string[] =>
  validateSync(plainToInstance(payloadClassOf(name), payload), { forbidUnknownValues: true }).map(
    ({ property }) => property,
  );

/** The message on `commands`, at the latest instants and the highest numbers that fit into it. */
function messageOf(name: CommandName): { order: string; message: string } {
  const order = writeOrder({
    commandId: randomUUID(),
    deviceId: randomUUID(),
    name,
    payload: LARGEST[name],
    counter: Number.MAX_SAFE_INTEGER,
    issuedAt: new Date('2026-03-01T08:30:00.000Z'),
    deadline: new Date('2026-03-01T08:30:15.000Z'),
    clock: {
      boot: 'b'.repeat(UPLINK_LIMITS.bootLength[1]),
      uptimeMs: Number.MAX_SAFE_INTEGER - 60_000,
      reportedAt: new Date('2026-03-01T08:30:00.000Z'),
    },
  });
  const signed: SignedOrder = { order, kid: 'k'.repeat(THUMBPRINT), signature: 's'.repeat(86) };
  return { order, message: JSON.stringify(signed) };
}

describe('the largest order', () => {
  it.each(COMMAND_NAMES)('of %s is as large as docs/protocol.md says', (name) => {
    expect(faultsOf(name, LARGEST[name])).toEqual([]);
    const { order, message } = messageOf(name);
    const sizes = [order, message].map((text) => String(Buffer.byteLength(text)));
    const [, row] = new RegExp(`^\\| \`${name}\` \\| ([0-9]+ \\| [0-9]+) \\|$`, 'm').exec(DOCUMENT) ?? [];
    expect(row).toBe(sizes.join(' | '));
    expect(Buffer.byteLength(message)).toBeLessThan(MAX_MQTT_PAYLOAD_BYTES);
  });

  it('is refused when any member of its payload is longer', () => {
    const { firmware_update: largest } = LARGEST;
    const longer = Object.entries(largest).map(([member, value]) => ({ ...largest, [member]: `${value}a` }));
    expect(longer.map((payload) => faultsOf('firmware_update', payload))).toEqual([
      ['version'],
      ['url'],
      ['sha256'],
      ['signature'],
    ]);
    expect(faultsOf('unlock_door', { durationMs: 100_000 })).toEqual(['durationMs']);
  });

  it.each(['é', '"', '\\', '\u0001', '€', ' '])(
    'has no character in its URL that takes more than a byte: %j',
    (character) => {
      const url = `https://firmware.example.com/${character}`;
      expect(faultsOf('firmware_update', { ...LARGEST.firmware_update, url })).toEqual(['url']);
    },
  );
});
