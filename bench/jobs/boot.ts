import { setTimeout as delay } from 'node:timers/promises';
import { compare, type Candidate } from '../support/comparison.js';
import { cpuMs, rssMb } from '../support/process-use.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 7;
const IDLE_MS = 2_000;

/** From spawning the process to its first `ready`, and the memory it then holds, against the least that Nest can be. */
export async function boot(services: Services): Promise<void> {
  await compare({
    title: 'Boot to ready, memory after 2 s of idling',
    candidates: [
      candidate('Mortise, all roles', () => startMortise(services)),
      candidate('minimal Nest + Fastify', () => startProgram(services, 'minimal-nest')),
    ],
    ratios: ['ready after ms', 'RSS MB'],
    rounds: ROUNDS,
  });
}

function candidate(name: string, start: () => Promise<Server>): Candidate {
  const round: Candidate['round'] = async () => {
    const { pid, bootMs, stop } = await start();
    const bootCpuMs = cpuMs(pid);
    await delay(IDLE_MS);
    const figures = {
      'ready after ms': bootMs,
      'CPU ms until ready': bootCpuMs,
      'idle CPU %': ((cpuMs(pid) - bootCpuMs) / IDLE_MS) * 100,
      'RSS MB': rssMb(pid),
    };
    await stop();
    return { operations: 1, figures };
  };
  return { name, round };
}
