/** Some thousand clients in a process of their own, so that they share no processor time with what asks them. */
import type { CrowdAnswer, CrowdOrder } from '../support/crowd.js';
import { LightSocket } from '../support/light-socket.js';
import { setTimeout as pause } from 'node:timers/promises';
import { nowMs } from '../support/monotonic.js';

const MARK = /"zone":"([^"]+)"/;
const sockets: LightSocket[] = [];
/** When each event came, by its name. */
let receipts = new Map<string, number[]>();
let received = 0;
let awaited = 0;
let ended = 0;

process.on('message', (order: CrowdOrder) => {
  void carryOut(order);
});
process.on('disconnect', () => process.exit(0));

async function carryOut(order: CrowdOrder): Promise<void> {
  if (order.kind === 'connect') {
    answer({ kind: 'connected', setupMs: await connectAll(order) });
  } else if (order.kind === 'await') {
    awaited = order.receipts;
    reportWhenComplete();
  } else {
    answer({ kind: 'left', ended: await leaveAll() });
  }
}

/** @returns how many had ended before */
async function leaveAll(): Promise<number> {
  const before = ended;
  const leaving = sockets.splice(0);
  leaving.forEach((socket) => {
    socket.leave();
  });
  while (ended < leaving.length) {
    await pause(20);
  }
  ended = 0;
  return before;
}

async function connectAll({
  url,
  tokens,
  inFlight,
  localAddress,
}: CrowdOrder & { kind: 'connect' }): Promise<number[]> {
  const setupMs: number[] = [];
  const waiting = [...tokens];
  const work = async (): Promise<void> => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      const since = nowMs();
      sockets.push(
        await LightSocket.connect({
          url,
          localAddress,
          auth: { token, clientType: 'dashboard' },
          onEvent: take,
          onEnd: () => (ended += 1),
        }),
      );
      setupMs.push(nowMs() - since);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return setupMs;
}

function take(json: string): void {
  const now = nowMs();
  const mark = MARK.exec(json)?.[1] ?? json;
  const times = receipts.get(mark);
  if (times) {
    times.push(now);
  } else {
    receipts.set(mark, [now]);
  }
  received += 1;
  reportWhenComplete();
}

function reportWhenComplete(): void {
  if (awaited > 0 && received >= awaited) {
    answer({ kind: 'received', receipts: [...receipts], ended });
    receipts = new Map();
    received = 0;
    awaited = 0;
  }
}

function answer(message: CrowdAnswer): void {
  process.send?.(message);
}
