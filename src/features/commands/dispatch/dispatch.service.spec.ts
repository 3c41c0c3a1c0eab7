import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { KeyStore } from '../../../platform/keys/key-store.js';
import type { Transactions } from '../../../platform/prisma/transactions.js';
import type { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import type { CommandEventWriter } from '../command-event-writer.js';
import type { CommandChange } from '../commands.types.js';
import { type DispatchRepository, LaneBusyError } from './dispatch.repository.js';
import type { NextCommand, Transmission } from './dispatch.rows.js';
import { DispatchService } from './dispatch.service.js';
import type { OrderPublisher } from './order-publisher.js';

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
  steady: true,
  othersWait: false,
  links: ['mqtt'],
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
  const steps: unknown[] = [];
  const dispatch = new DispatchService(
    {
      lockNext: (deviceIds: readonly string[], links: readonly string[]) => {
        if (!links.includes('mqtt')) {
          return Promise.resolve([]);
        }
        steps.push(deviceIds.length > 1 ? `lock ${deviceIds.join(', ')}` : 'lock');
        const found = options.next === undefined ? next : options.next;
        return Promise.resolve(
          found ? deviceIds.map((deviceId) => ({ ...found, id: `command for ${deviceId}`, deviceId })) : [],
        );
      },
      markSent,
      expire: (refused: Parameters<DispatchRepository['expire']>[0]) => {
        steps.push(...refused.map(({ reason }) => `expire: ${reason}`));
        return Promise.resolve(refused.map(({ id }) => change(id, 'device-1')));
      },
      resendDue: (_limit: number, links: readonly string[]) =>
        Promise.resolve(!links.includes('mqtt') ? [] : [{ command: next, signed: {}, remainingMs: 5_000 }]),
    } as unknown as DispatchRepository,
    { recordStates: () => Promise.resolve(), recordResends: () => Promise.resolve() } as unknown as CommandEventWriter,
    {
      independently: async (work: () => Promise<unknown>) => {
        const result = await work();
        steps.push('commit');
        return result;
      },
    } as unknown as Transactions,
    {
      signingKey: () =>
        Promise.resolve({ kid: 'k', alg: 'EdDSA', privateKey: generateKeyPairSync('ed25519').privateKey }),
    } as unknown as KeyStore,
    {
      permissionsOf: (asked: readonly unknown[]) => Promise.resolve(asked.map(() => permission)),
    } as unknown as DeviceAccessService,
    {
      usableLinks: () => (open ? ['mqtt', 'websocket'] : ['websocket']),
      now: () => 1_000,
      publish: ({ command: { deviceId } }: Transmission, notAfter: number) => {
        steps.push(`publish to ${deviceId} until ${String(notAfter)}`);
      },
    } as unknown as OrderPublisher,
  );
  return { dispatch, steps };
}

describe('DispatchService', () => {
  it('publishes after the commit, and counts the remaining time from before the query', async () => {
    const { dispatch, steps } = setup({});
    await expect(dispatch.sendNext('device-1')).resolves.toBe(false);
    expect(steps).toEqual(['lock', 'commit', 'publish to device-1 until 16000']);
  });

  it('leaves commands of devices that it cannot reach in the queue', async () => {
    const { dispatch, steps } = setup({ open: false });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(false);
    await expect(dispatch.resendDue(10)).resolves.toBe(0);
    expect(steps).toEqual(['commit', 'commit']);
  });

  it('publishes nothing when another process has just filled the lane', async () => {
    const { dispatch, steps } = setup({ markSent: () => Promise.reject(new LaneBusyError()) });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(false);
    expect(steps).toEqual(['lock']);
  });

  it('publishes nothing when the transaction fails, and rejects', async () => {
    const { dispatch, steps } = setup({ markSent: () => Promise.reject(new Error('database away')) });
    await expect(dispatch.sendNext('device-1')).rejects.toThrow('database away');
    expect(steps).toEqual(['lock']);
  });

  it('asks for another step to expire a command that expired during the wait for the lock', async () => {
    const { dispatch, steps } = setup({ markSent: () => Promise.resolve([]) });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(true);
    expect(steps).toEqual(['lock', 'commit']);
  });

  it('asks for another step when a command waits in the other lane too', async () => {
    const { dispatch } = setup({ next: { ...next, othersWait: true } });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(true);
  });

  it.each(['view', null] as const)('sends nothing for a user whose permission is %s', async (permission) => {
    const { dispatch, steps } = setup({ permission });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(true);
    expect(steps).toEqual(['lock', 'expire: permission_revoked', 'commit']);
  });

  it('sends for a user with the permission `control`', async () => {
    const { dispatch, steps } = setup({ permission: 'control' });
    await dispatch.sendNext('device-1');
    expect(steps).toHaveLength(3);
  });

  it('expires an unlock, and no lock order, of a device whose uptime fell', async () => {
    const unlock = setup({ next: { ...next, steady: false } });
    await unlock.dispatch.sendNext('device-1');
    expect(unlock.steps).toEqual(['lock', 'expire: uptime_fell', 'commit']);
    const lock = setup({ next: { ...next, name: 'lock_door', steady: false } });
    await lock.dispatch.sendNext('device-1');
    expect(lock.steps).not.toContain('expire: uptime_fell');
  });

  it.each(['restart_device', 'firmware_update', 'sync_access_codes'] as const)(
    'sends no %s for a user who does not administer the device any more',
    async (name) => {
      const { dispatch, steps } = setup({ next: { ...next, name }, permission: 'control' });
      await dispatch.sendNext('device-1');
      expect(steps).toEqual(['lock', 'expire: permission_revoked', 'commit']);
    },
  );

  it('sends nothing again for a user whose permission was taken after the first time', async () => {
    const { dispatch, steps } = setup({ permission: 'view' });
    await expect(dispatch.resendDue(10)).resolves.toBe(0);
    expect(steps).toEqual(['commit']);
    await expect(setup({ permission: 'control' }).dispatch.resendDue(10)).resolves.toBe(1);
  });

  it('expires a command that is past its deadline, whatever the permission', async () => {
    const { dispatch, steps } = setup({ next: { ...next, expiresAt: NOW }, permission: null });
    await expect(dispatch.sendNext('device-1')).resolves.toBe(true);
    expect(steps).toEqual(['lock', 'expire: deadline', 'commit']);
  });

  it('serves many devices with one transaction, and publishes to all of them after it', async () => {
    const { dispatch, steps } = setup({});
    await expect(Promise.all(['a', 'b', 'c'].map((id) => dispatch.sendNext(id)))).resolves.toEqual([
      false,
      false,
      false,
    ]);
    expect(steps).toEqual(['lock a, b, c', 'commit', ...['a', 'b', 'c'].map((id) => `publish to ${id} until 16000`)]);
  });

  it('tries each device alone when their transaction fails, so that a bad one does not block the others', async () => {
    const { dispatch, steps } = setup({
      markSent: (orders) =>
        orders.some(({ next: { deviceId } }) => deviceId === 'b')
          ? Promise.reject(new Error('bad row'))
          : Promise.resolve(orders.map(({ next: { id, deviceId } }) => change(id, deviceId))),
    });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((id) => dispatch.sendNext(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(steps.filter((step) => String(step).startsWith('publish'))).toEqual([
      'publish to a until 16000',
      'publish to c until 16000',
    ]);
  });

  it('does not let a busy lane of one device affect the others', async () => {
    const { dispatch, steps } = setup({
      markSent: (orders) =>
        orders.some(({ next: { deviceId } }) => deviceId === 'b')
          ? Promise.reject(new LaneBusyError())
          : Promise.resolve(orders.map(({ next: { id, deviceId } }) => change(id, deviceId))),
    });
    await expect(Promise.all(['a', 'b'].map((id) => dispatch.sendNext(id)))).resolves.toEqual([false, false]);
    expect(steps.filter((step) => String(step).startsWith('publish'))).toEqual(['publish to a until 16000']);
  });

  it('leaves out a command that was cancelled meanwhile, and asks for another step of that device', async () => {
    const { dispatch, steps } = setup({
      markSent: (orders) =>
        Promise.resolve(
          orders
            .filter(({ next: { deviceId } }) => deviceId !== 'b')
            .map(({ next: { id, deviceId } }) => change(id, deviceId)),
        ),
    });
    await expect(Promise.all(['a', 'b'].map((id) => dispatch.sendNext(id)))).resolves.toEqual([false, true]);
    expect(steps).toEqual(['lock a, b', 'commit', 'publish to a until 16000']);
  });
});
