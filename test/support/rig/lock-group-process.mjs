// Several virtual locks in one process, so that a test can have many of them. Runs what was built; its orders come in
// MORTISE_LOCKS. It prints what the locks have gone through, as one line of JSON, again and again.
import { join } from 'node:path';
import { Faults } from '../../../dist/tools/virtual-lock/faults.js';
import { keysFromUrl } from '../../../dist/tools/virtual-lock/key-ring.js';
import { VirtualLock } from '../../../dist/tools/virtual-lock/virtual-lock.js';

const REPORT_EVERY_MS = 200;
const { locks, mqttUrl, apis, directory, heartbeatMs } = JSON.parse(process.env.MORTISE_LOCKS ?? '');
const seen = { repeated: 0, refused: {} };

/** From the first API that answers. */
async function keys(signal) {
  const answers = apis.map((url) => keysFromUrl(`${url}/.well-known/order-keys.json`)(signal));
  return Promise.any(answers);
}

function count(kind, facts) {
  if (kind === 'refused') {
    seen.refused[facts.code] = (seen.refused[facts.code] ?? 0) + 1;
  } else if (kind === 'order' && facts.kind === 'repeat') {
    seen.repeated += 1;
  }
}

const running = locks.map(({ deviceId, token, faults }) => {
  const lock = new VirtualLock({
    deviceId,
    token,
    keys,
    url: mqttUrl,
    journalPath: join(directory, `${deviceId}.actuations.ndjson`),
    faults: new Faults(faults),
    heartbeatMs,
    log: (kind, _text, facts = {}) => count(kind, facts),
  });
  lock.start().catch(() => undefined);
  return lock;
});
const report = () => {
  const online = running.filter((lock) => lock.online).length;
  process.stdout.write(`${JSON.stringify({ ...seen, online })}\n`);
};
setInterval(report, REPORT_EVERY_MS);
process.once('SIGTERM', () => {
  void Promise.all(running.map((lock) => lock.stop())).finally(() => process.exit(0));
});
