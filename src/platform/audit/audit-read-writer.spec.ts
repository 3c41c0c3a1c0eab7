import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEntity } from '../../contracts/audit.js';
import type { Clock } from '../../shared/clock.js';
import { newContext, runInContext } from '../context/request-context.js';
import { AUDIT_READ_PERIOD_MS, AuditReadWriter } from './audit-read-writer.js';
import type { AuditWriter } from './audit-writer.js';

const DOOR: AuditEntity = { type: 'device', id: 'door' };

let now = 0;
let written: unknown[] = [];
let failing = false;
let statements = 0;
let reads: AuditReadWriter;

beforeEach(() => {
  [now, written, failing, statements] = [1_000, [], false, 0];
  const trail = {
    recordEach: (entries: readonly { record: unknown }[]) => {
      if (failing) {
        return Promise.reject(new Error('no room for entries'));
      }
      statements += 1;
      written.push(...entries.map(({ record }) => record));
      return Promise.resolve();
    },
  };
  reads = new AuditReadWriter(trail as unknown as AuditWriter, { monotonic: () => now } as Clock);
});

const read = (entity = DOOR, { user = 'ada', sessionId = 's1', address = '192.0.2.1' } = {}): Promise<void> =>
  runInContext({ ...newContext('http', `user:${user}`, { address }), sessionId }, () =>
    reads.record('device_history_read', entity),
  );

describe('AuditReadWriter', () => {
  it('records the first of many reads of a quarter of an hour, and then the next', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      await read();
    }
    expect(written).toEqual([{ action: 'device_history_read', entity: DOOR }]);
    now += AUDIT_READ_PERIOD_MS - 1;
    await read();
    expect(written).toHaveLength(1);
    now += 1;
    await read();
    expect(written).toHaveLength(2);
  });

  it('tells things, persons, sessions and addresses apart', async () => {
    await read();
    await read({ type: 'device', id: 'gate' });
    await read(DOOR, { user: 'grace' });
    await read(DOOR, { sessionId: 's2' });
    await read(DOOR, { address: '192.0.2.2' });
    expect(written).toHaveLength(5);
  });

  it('takes the addresses of one IPv6 network for one, and others for others', async () => {
    for (const address of ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:DB8::1:ffff:ffff:ffff:ffff']) {
      await read(DOOR, { address });
    }
    expect(written).toHaveLength(1);
    await read(DOOR, { address: '2001:db8:0:2::1' });
    await read(DOOR, { address: 'unknown' });
    expect(written).toHaveLength(3);
  });

  it('writes what comes together by one statement', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => read(DOOR, { user: `user-${String(index)}` })));
    expect([written.length, statements]).toEqual([50, 1]);
  });

  it('fails with the entry, and takes none that failed for one that stands', async () => {
    failing = true;
    await expect(read()).rejects.toThrow('no room');
    failing = false;
    await read();
    expect(written).toHaveLength(1);
  });
});
