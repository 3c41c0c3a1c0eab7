import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { KeyStore } from '../../../platform/keys/key-store.js';
import type { Transactions } from '../../../platform/prisma/transaction.js';
import type { DevicesService } from '../../devices/devices.service.js';
import type { CommandEventWriter } from '../command-event-writer.js';
import type { CommandChange } from '../commands.types.js';
import { type DispatchRepository, LaneBusyError, type NextCommand } from './dispatch.repository.js';
import type { OrderPublisher } from './order-publisher.js';
import { DispatchService } from './dispatch.service.js';

const NOW = new Date('2026-11-20T18:00:00.000Z');
const next: NextCommand = {
  id: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57',
  deviceId: 'device-1',
  issuerId: 'user-1',
  name: 'unlock_door',
  payload: {},
  expiresAt: new Date(NOW.getTime() + 15_000),
  ownerId: 'user-1',
  counter: 1,
  clock: { boot: 'b00t0001', uptimeMs: 60_000, reportedAt: NOW },
  now: NOW,
  othersWait: false,
};

const change = (id: string, deviceId: string): CommandChange => ({ id, deviceId }) as CommandChange;

function setup(options: {
  open?: boolean;
  next?: NextCommand | null;
  permission?: 'view' | 'control' | 'admin' | null;
  markSent?: DispatchRepository['markSent'];
}) {
  const { open = true, permission = 'admin' } = options;
  const markSent =
    options.markSent ?? ((orders) => Promise.resolve(orders.map(({ next: { id, deviceId } }) => change(id, deviceId))));
  const story: unknown[] = [];
  const sender = new DispatchService(
    {
      lockNext: (deviceIds: readonly string[]) => {
        story.push(deviceIds.length > 1 ? `lock ${deviceIds.join(', ')}` : 'lock');
        const found = options.next === undefined ? next : options.next;
        return Promise.resolve(
          found ? deviceIds.map((deviceId) => ({ ...found, id: `command for ${deviceId}`, deviceId })) : [],
        );
      },
      markSent,
      expire: (refused: Parameters<DispatchRepository['expire']>[0]) => {
        story.push(...refused.map(({ reason }) => `expire: ${reason}`));
        return Promise.resolve(refused.map(({ id }) => change(id, 'device-1')));
      },
    } as unknown as DispatchRepository,
    { moved: () => Promise.resolve() } as unknown as CommandEventWriter,
    {
      independently: async (work: () => Promise<unknown>) => {
        const result = await work();
        story.push('commit');
        return result;
      },
    } as unknown as Transactions,
    {
      signingKey: () =>
        Promise.resolve({ kid: 'k', alg: 'EdDSA', privateKey: generateKeyPairSync('ed25519').privateKey }),
    } as unknown as KeyStore,
    {
      permissionsOf: (asked: readonly unknown[]) => Promise.resolve(asked.map(() => permission)),
    } as unknown as DevicesService,
    {
      isOpen: () => open,
      now: () => 1_000,
      transmit: (deviceId: string, _signed: unknown, notAfter: number) => {
        story.push(`publish to ${deviceId} until ${String(notAfter)}`);
      },
    } as unknown as OrderPublisher,
  );
  return { sender, story };
}

describe('DispatchService', () => {
  it('publishes after the commit, and counts the time left from before it asked', async () => {
    const { sender, story } = setup({});
    await expect(sender.sendNext('device-1')).resolves.toBe(false);
    expect(story).toEqual(['lock', 'commit', 'publish to device-1 until 16000']);
  });

  it('leaves commands in the queue while the broker is away', async () => {
    const { sender, story } = setup({ open: false });
    await expect(sender.sendNext('device-1')).resolves.toBe(false);
    await expect(sender.resendDue(10)).resolves.toBe(0);
    expect(story).toEqual([]);
  });

  it('publishes nothing when another process has just filled the lane', async () => {
    const { sender, story } = setup({ markSent: () => Promise.reject(new LaneBusyError()) });
    await expect(sender.sendNext('device-1')).resolves.toBe(false);
    expect(story).toEqual(['lock']);
  });

  it('publishes nothing when the transaction fails, and says so', async () => {
    const { sender, story } = setup({ markSent: () => Promise.reject(new Error('database away')) });
    await expect(sender.sendNext('device-1')).rejects.toThrow('database away');
    expect(story).toEqual(['lock']);
  });

  it('comes back to expire a command whose life ended while it waited for the lock', async () => {
    const { sender, story } = setup({ markSent: () => Promise.resolve([]) });
    await expect(sender.sendNext('device-1')).resolves.toBe(true);
    expect(story).toEqual(['lock', 'commit']);
  });

  it('looks again when the other lane has something too', async () => {
    const { sender } = setup({ next: { ...next, othersWait: true } });
    await expect(sender.sendNext('device-1')).resolves.toBe(true);
  });

  it.each(['view', null] as const)('sends nothing for a person whose permission is %s', async (permission) => {
    const { sender, story } = setup({ permission });
    await expect(sender.sendNext('device-1')).resolves.toBe(true);
    expect(story).toEqual(['lock', 'expire: permission_revoked', 'commit']);
  });

  it('sends for a person who may only control', async () => {
    const { sender, story } = setup({ permission: 'control' });
    await sender.sendNext('device-1');
    expect(story).toHaveLength(3);
  });

  it('expires what is past its life, before it asks about anybody', async () => {
    const { sender, story } = setup({ next: { ...next, expiresAt: NOW }, permission: null });
    await expect(sender.sendNext('device-1')).resolves.toBe(true);
    expect(story).toEqual(['lock', 'expire: deadline', 'commit']);
  });

  it('serves many devices with one transaction, and publishes to all of them after it', async () => {
    const { sender, story } = setup({});
    await expect(Promise.all(['a', 'b', 'c'].map((id) => sender.sendNext(id)))).resolves.toEqual([false, false, false]);
    expect(story).toEqual(['lock a, b, c', 'commit', ...['a', 'b', 'c'].map((id) => `publish to ${id} until 16000`)]);
  });

  it('tries each device alone when their transaction fails, so that a bad one holds up nobody', async () => {
    const { sender, story } = setup({
      markSent: (orders) =>
        orders.some(({ next: { deviceId } }) => deviceId === 'b')
          ? Promise.reject(new Error('bad row'))
          : Promise.resolve(orders.map(({ next: { id, deviceId } }) => change(id, deviceId))),
    });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((id) => sender.sendNext(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(story.filter((step) => String(step).startsWith('publish'))).toEqual([
      'publish to a until 16000',
      'publish to c until 16000',
    ]);
  });

  it('takes one busy lane for the business of that device alone', async () => {
    const { sender, story } = setup({
      markSent: (orders) =>
        orders.some(({ next: { deviceId } }) => deviceId === 'b')
          ? Promise.reject(new LaneBusyError())
          : Promise.resolve(orders.map(({ next: { id, deviceId } }) => change(id, deviceId))),
    });
    await expect(Promise.all(['a', 'b'].map((id) => sender.sendNext(id)))).resolves.toEqual([false, false]);
    expect(story.filter((step) => String(step).startsWith('publish'))).toEqual(['publish to a until 16000']);
  });

  it('leaves out what was taken back meanwhile, and comes back for the next of that device', async () => {
    const { sender, story } = setup({
      markSent: (orders) =>
        Promise.resolve(
          orders
            .filter(({ next: { deviceId } }) => deviceId !== 'b')
            .map(({ next: { id, deviceId } }) => change(id, deviceId)),
        ),
    });
    await expect(Promise.all(['a', 'b'].map((id) => sender.sendNext(id)))).resolves.toEqual([false, true]);
    expect(story).toEqual(['lock a, b', 'commit', 'publish to a until 16000']);
  });
});
