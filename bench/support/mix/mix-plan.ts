import type { Expectation, LoadPlan, PlannedKind, PlannedRequest } from '../open-loop/load-plan.js';

/** How many of twenty requests are of each kind. */
const SHARES = { list: 14, get: 3, event: 2, command: 1 } as const;
export type MixKind = keyof typeof SHARES;

export type MixRequests = Readonly<Record<MixKind, readonly PlannedRequest[]>>;

/** 70 % lists, 15 % single devices, 10 % events, 5 % commands. */
export function mixPlan(url: string, requests: MixRequests): LoadPlan {
  const kinds = Object.entries(SHARES).map(([name, share]): PlannedKind => ({
    name,
    share,
    requests: requests[name as MixKind],
  }));
  return { url, kinds };
}

export function get(path: string, headers: Readonly<Record<string, string>>, expect: Expectation): PlannedRequest {
  return { method: 'GET', path, headers, expect };
}

export function post(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  expect: Expectation,
): PlannedRequest {
  return { method: 'POST', path, headers, body, expect };
}
