/** Many dashboards on one server, which count what they hear. */
import { io, type Socket } from 'socket.io-client';
import {
  type DashboardEvents,
  type DashboardRequests,
  FEED_MESSAGES,
  type FeedEvent,
} from '../../src/contracts/realtime.js';
import { answerQuestions } from '../support/generator-questions.js';
import type { DashboardCounts } from '../support/dashboard-counts.js';

const CONNECTING = 10;

interface Dashboard {
  readonly socket: Socket<DashboardEvents, DashboardRequests>;
  /** The ids of the events of each kind. */
  readonly heard: Map<string, Set<string>>;
}

const dashboards: Dashboard[] = [];
let repeated = 0;
let dropped = 0;

function open(url: string, token: string): Promise<Dashboard> {
  const socket: Dashboard['socket'] = io(url, {
    auth: { token, clientType: 'dashboard' },
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  });
  const heard = new Map<string, Set<string>>();
  for (const event of Object.keys(FEED_MESSAGES) as FeedEvent[]) {
    const ids = new Set<string>();
    heard.set(event, ids);
    socket.on(event, ({ id }: { id: string }) => {
      repeated += ids.has(id) ? 1 : 0;
      ids.add(id);
    });
  }
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.once('disconnect', () => {
        dropped += 1;
      });
      resolve({ socket, heard });
    });
    socket.once('connect_error', reject);
  });
}

answerQuestions({
  async connect({ url, tokens }: { url: string; tokens: string[] }): Promise<void> {
    for (let begin = 0; begin < tokens.length; begin += CONNECTING) {
      const group = tokens.slice(begin, begin + CONNECTING);
      dashboards.push(...(await Promise.all(group.map((token) => open(url, token)))));
    }
  },
  forget(): void {
    dashboards.forEach(({ heard }) => {
      heard.forEach((ids) => {
        ids.clear();
      });
    });
  },
  counts(): DashboardCounts {
    const events = new Set(dashboards.flatMap(({ heard }) => [...heard.keys()]));
    return {
      heard: Object.fromEntries(
        [...events].map((event) => [event, dashboards.map(({ heard }) => heard.get(event)?.size ?? 0)]),
      ),
      repeated,
      dropped,
    };
  },
});
