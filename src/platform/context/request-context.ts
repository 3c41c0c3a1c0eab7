import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { AuditIntent } from '../../contracts/audit.js';
import type { Actor, EventSource } from '../../contracts/events.js';

/** What is known about the request, message or job that the current code serves. Logs and events take it from here. */
export interface RequestContext {
  /** `X-Request-Id`; also the correlation id of the events it causes. */
  readonly requestId: string;
  /** Trace id of the W3C `traceparent` it came with, or a new one. */
  readonly traceId: string;
  readonly source: EventSource;
  /** When it arrived here, by `performance.now()`. */
  readonly arrivedAt: number;
  actor: Actor;
  deviceId?: string;
  sessionId?: string;
  /** Whose share of the password hasher it takes, for a route that is marked to hash passwords. */
  hashHolder?: string;
  /** Where it came from: the client's address, by the list of trusted proxies. */
  readonly address?: string;
  readonly userAgent?: string;
  /** Until when it is worth working for it, by `performance.now()`. Nothing is begun later: see `assertInTime`. */
  deadline?: number;
  /** What gives way to what while there is too much to do. */
  priority?: RequestPriority;
  /** What must be audited before anything is committed. */
  audit?: AuditIntent;
  idempotency?: IdempotencyClaim;
  /** It repeats a request that was done, and changed nothing. */
  replayed?: boolean;
}

/** The `Idempotency-Key` of a request, with what it must agree with when it is repeated. */
export interface IdempotencyClaim {
  readonly key: string;
  /** `POST /api/v1/devices`. */
  readonly route: string;
  readonly userId: string;
  /** What a repeat must ask for, too. */
  readonly asked: Readonly<Record<'params' | 'query' | 'body', unknown>>;
}

/** While there is too much to do, reads give way first, then other writes; what is vital does not. */
export type RequestPriority = 'read' | 'write' | 'vital';

const storage = new AsyncLocalStorage<RequestContext | undefined>();

/** The context of the current request, message or job; undefined in background loops. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** Runs work that a request started and that goes on without it: it has a life, and a deadline, of its own. */
export function outsideRequest<T>(work: () => T): T {
  return storage.run(undefined, work);
}

export function newContext(
  source: EventSource,
  actor: Actor,
  known: Partial<Pick<RequestContext, 'requestId' | 'traceId' | 'address' | 'userAgent'>> = {},
): RequestContext {
  return {
    ...known,
    requestId: known.requestId ?? randomUUID(),
    traceId: known.traceId ?? newTraceId(),
    source,
    actor,
    arrivedAt: performance.now(),
  };
}

function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}
