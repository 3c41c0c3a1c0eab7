/** Many locks on one server: they send heartbeats, acknowledge every order at once, and report a door now and then. */
import { setTimeout as pause } from 'node:timers/promises';
import { AutoAckDevice } from '../support/auto-ack-device.js';
import { answerQuestions } from '../support/generator-questions.js';

/** A server takes so many logins at once without one that waits. */
const CONNECTING = 20;

const locks: AutoAckDevice[] = [];

answerQuestions({
  async connect({ mqttUrl, devices }: { mqttUrl: string; devices: { id: string; token: string }[] }): Promise<void> {
    for (let begin = 0; begin < devices.length; begin += CONNECTING) {
      const group = devices.slice(begin, begin + CONNECTING);
      locks.push(...(await Promise.all(group.map((device) => AutoAckDevice.connect(mqttUrl, device)))));
    }
  },
  /** How many orders they have carried out, each counted once. */
  executed(): number {
    return locks.reduce((sum, { executed }) => sum + executed.size, 0);
  },
  /** Doors are used evenly, one lock after another. */
  async report({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<number> {
    const begun = performance.now();
    const count = Math.round(perSecond * seconds);
    for (let index = 0; index < count; index++) {
      await pause(Math.max(0, begun + (index * 1_000) / perSecond - performance.now()));
      const turn = Math.floor(index / locks.length);
      locks[index % locks.length]?.report(turn % 2 === 0 ? 'unlocked' : 'locked');
    }
    await pause(Math.max(0, begun + seconds * 1_000 - performance.now()));
    return count;
  },
});
