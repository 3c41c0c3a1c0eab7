/**
 * P-29: any API process serves any dashboard, and none knows of the others (ADR 0005). When one of two behind nginx is killed
 * under load, its dashboards go to the other one and miss nothing.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DashboardCrowd } from '../support/dashboard-crowd.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { type Nginx, startNginx } from '../support/nginx.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled } from '../support/promise.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const CLIENTS = scaled(40, 1_000);
/** Of the two processes, one after the other. */
const KILLED = scaled(1, 2);
const EVENT_EVERY_MS = scaled(10, 100);

let installation: Installation;
let writer: TestApp;
let processes: ApplicationProcess[];
let nginx: Nginx;

beforeAll(async () => {
  installation = await createInstallation({ TRUSTED_PROXIES: '127.0.0.1/32', CONNECTIONS_PER_ADDRESS: '100000' });
  writer = await TestApp.start({ env: { ...installation.env, ROLES: 'worker' } });
  processes = await Promise.all([1, 2].map(() => ApplicationProcess.start({ ...installation.env, ROLES: 'api' })));
  nginx = await startNginx(processes.map(({ port }) => port));
}, 120_000);

afterAll(async () => {
  await nginx.stop();
  await Promise.all(processes.map((each) => each.kill()));
  await writer.stop();
  await installation.remove();
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

async function socketsOf({ url }: ApplicationProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^mortise_dashboard_sockets (\d+)$/m.exec(metrics)?.[1]);
}

it(
  'P-29: moves the dashboards of a process that is killed to the other one, and no event is lost or heard twice',
  async () => {
    const crowd = await DashboardCrowd.gather(writer, { size: CLIENTS, urlOf: () => nginx.url });
    const end = crowd.pour(EVENT_EVERY_MS);
    const moved: number[] = [];
    const backAfter: number[] = [];
    for (let index = 0; index < KILLED; index += 1) {
      if (index > 0) {
        // Some go to the process that was killed before, so that its neighbour can be killed as well.
        await processes[index - 1]!.start();
        crowd.dropSome(0.5, Math.random);
        await crowd.allBack();
        await eventually('each dashboard is served once', async () => {
          const counts = await Promise.all(processes.map(socketsOf));
          return sum(counts) === CLIENTS;
        });
      }
      const [killed, other] = [processes[index]!, processes[1 - index]!];
      const [ofKilled, ofOther] = await Promise.all([killed, other].map(socketsOf));
      expect([ofKilled! > 0, ofKilled! + ofOther!]).toEqual([true, CLIENTS]);
      await killed.kill();
      await eventually('its dashboards notice', () => crowd.connected < CLIENTS);
      backAfter.push(await crowd.allBack());
      await eventually('the other process has all', async () => (await socketsOf(other)) === CLIENTS);
      moved.push(ofKilled!);
    }
    await end();
    const { events, expected, ...wrong } = await crowd.deliveries();
    crowd.stop();
    recordFigure({
      promise: 'P-29',
      shown: `${String(CLIENTS)} dashboards at two API processes behind nginx, of which ${String(KILLED)} was killed, in turn, while ${String(events)} events flowed: ${moved.join(' and ')} dashboards moved to the other, all within ${backAfter.map((ms) => ms.toFixed(0)).join(' and ')} ms.`,
      n: expected,
      figure: `${String(wrong.missing)} missing, ${String(wrong.twice)} twice`,
    });
    expect(wrong).toEqual({ missing: 0, twice: 0, disordered: 0, resyncs: 0 });
    expect(events).toBeGreaterThan(50);
  },
  scaled(90_000, 600_000),
);
