import { join } from 'node:path';
import { baseUrl, brokerUrl } from './application.js';
import { type Demo, type DemoLock } from './demo.js';
import { Failure } from './failure.js';
import { logFile } from './log-file.js';
import { ROOT, stateFolder } from './paths.js';
import { type StartSettings } from './settings.js';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';
import { waitUntil } from './wait-until.js';

/** Starts a virtual lock per demo device, and waits until the backend sees them. */
export async function startVirtualLocks(supervisor: Supervisor, settings: StartSettings, demo: Demo): Promise<void> {
  const state = await stateFolder('locks');
  const onOutput = await logFile('locks');
  await Promise.all(
    demo.locks.map(async (lock) => {
      const flags = {
        id: lock.deviceId,
        url: brokerUrl(settings),
        keys: `${baseUrl(settings)}/.well-known/order-keys.json`,
        name: lock.name,
        state: join(state, lock.deviceId),
      };
      const child = supervisor.start({
        name: `The virtual lock "${lock.name}"`,
        command: process.execPath,
        args: [
          join(ROOT, 'dist', 'tools', 'virtual-lock', 'main.js'),
          ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
        ],
        cwd: ROOT,
        // Not an argument: every user of the machine can read those.
        env: { ...process.env, MORTISE_LOCK_TOKEN: lock.token },
        onOutput,
      });
      await waitUntilOnline(child, lock, settings, demo);
    }),
  );
}

async function waitUntilOnline(
  child: SupervisedProcess,
  lock: DemoLock,
  settings: StartSettings,
  demo: Demo,
): Promise<void> {
  const headers = { authorization: `Bearer ${demo.accessToken}` };
  await waitUntil(
    async () => {
      if (child.hasEnded()) {
        throw new Failure(`${child.name} ended (${await child.ended}): ${child.lastOutput()}`);
      }
      const response = await fetch(`${baseUrl(settings)}/api/v1/devices/${lock.deviceId}`, { headers });
      return ((await response.json()) as { status?: string }).status === 'online';
    },
    {
      withinMs: 15_000,
      everyMs: 100,
      otherwise: () => new Failure(`${child.name} did not come online in 15 s: ${child.lastOutput()}`),
    },
  );
}
