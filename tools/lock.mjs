import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this clone does. A folder is the lock, because making one is atomic
 * everywhere; it names its owner, so that a lock left behind by a crash is recognised and taken over.
 */
export async function withLock(folder, work) {
  await mkdir(join(folder, '..'), { recursive: true });
  while (!(await acquire(folder))) {
    await delay(100);
  }
  try {
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function acquire(folder) {
  const ownerFile = join(folder, 'pid');
  try {
    await mkdir(folder);
    await writeFile(ownerFile, String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw error;
    }
  }
  const owner = Number(await readFile(ownerFile, 'utf8').catch(() => process.pid));
  if (owner && !isAlive(owner)) {
    await rm(folder, { recursive: true, force: true });
  }
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
