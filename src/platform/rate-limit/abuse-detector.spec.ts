import { describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import { newContext, requestContext, runInContext } from '../context/request-context.js';
import type { BlockedIpStore } from './blocked-ip-store.js';
import { AbuseDetector } from './abuse-detector.js';

const HOUR = 3_600_000;

function rowsOf(after: number): { rows: AbuseDetector; block: jest.Mock<BlockedIpStore['block']> } {
  const block = jest.fn<BlockedIpStore['block']>().mockResolvedValue();
  const config = { addressBlock: { after, durationMs: HOUR } } as AppConfig;
  return { rows: new AbuseDetector(config, { block } as unknown as BlockedIpStore), block };
}

function refuse(rows: AbuseDetector, address: string, times: number): void {
  for (let time = 0; time < times; time += 1) {
    rows.note(address, 'auth', false);
  }
}

describe('AbuseDetector', () => {
  it('block an address at the tenth refusal in a row, once', () => {
    const { rows, block } = rowsOf(10);
    refuse(rows, '192.0.2.1', 9);
    expect(block).not.toHaveBeenCalled();
    refuse(rows, '192.0.2.1', 2);
    expect(block.mock.calls).toEqual([['192.0.2.1', 'rate_limit:auth', HOUR]]);
  });

  it('block an address in the time of none of its requests', () => {
    const { rows, block } = rowsOf(1);
    const contexts: unknown[] = [];
    block.mockImplementation(() => Promise.resolve(void contexts.push(requestContext())));
    runInContext({ ...newContext('http', 'anonymous'), priority: 'read' }, () => {
      refuse(rows, '192.0.2.1', 1);
    });
    expect(contexts).toEqual([undefined]);
  });

  it('begin anew when the limit admits the address again', () => {
    const { rows, block } = rowsOf(10);
    refuse(rows, '192.0.2.1', 9);
    rows.note('192.0.2.1', 'auth', true);
    refuse(rows, '192.0.2.1', 9);
    expect(block).not.toHaveBeenCalled();
  });

  it('are not ended by what the address does under another limit, nor by another address', () => {
    const { rows, block } = rowsOf(3);
    for (let time = 0; time < 3; time += 1) {
      refuse(rows, '192.0.2.1', 1);
      rows.note('192.0.2.1', 'anonymous', true);
      rows.note('192.0.2.2', 'auth', true);
    }
    expect(block).toHaveBeenCalledTimes(1);
  });

  it('never block where the setting says so', () => {
    const { rows, block } = rowsOf(0);
    refuse(rows, '192.0.2.1', 100);
    expect(block).not.toHaveBeenCalled();
  });

  it('are forgotten when there are too many, the one that did not grow for longest first', () => {
    const { rows, block } = rowsOf(2);
    for (let host = 0; host <= 10_000; host += 1) {
      refuse(rows, `address ${String(host)}`, 1);
    }
    refuse(rows, 'address 0', 1);
    expect(block).not.toHaveBeenCalled();
    refuse(rows, 'address 10000', 1);
    expect(block).toHaveBeenCalledTimes(1);
  });
});
