import { type CallHandler, type ExecutionContext, HttpStatus, Injectable, type NestInterceptor } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { AuditWriter } from '../audit/audit-writer.js';
import { matches, tagOf, weakTagOf } from '../http/conditional/version-tag.interceptor.js';
import { Transactions } from '../prisma/transactions.js';
import { CacheMetrics } from './cache-metrics.js';
import { CacheReader, type CacheRequest } from './cache-reader.js';
import { type CacheEntry, type CacheFinding, CacheStore, EVERY_ENTRY, MAX_TAGS_PER_ENTRY } from './cache-store.js';
import type { CachedOptions, CacheScope } from './cached.types.js';

/** How old readings may be that a cached answer shows. */
const READINGS_MS = 30_000;

/** Loads whose end is remembered, for the requests that were on their way then. */
const MAX_ENDED = 1_000;

/** What an answer was found or loaded with. */
interface Exchange extends CacheRequest {
  readonly reply: FastifyReply;
  readonly load: () => Promise<unknown>;
}

type Hit = Extract<CacheFinding, { outcome: 'hit' }>;
type Miss = Exclude<CacheFinding, Hit>;
/** What an answer was loaded under, and until when it holds. */
type Conditions = Pick<CacheEntry, 'tags' | 'versions' | 'loadedAt' | 'expiresAt'>;

/** Its body is encoded once: for its digest, for Redis and for the client. */
interface Answer<Body = Buffer> {
  readonly body: Body;
  readonly etag: string;
}

const NO_SCOPE: CacheScope = { tags: [], changesInMs: null };

/** Answers cached routes: from Redis where it has what the database would say, else from the handler. */
@Injectable()
export class CacheInterceptor implements NestInterceptor {
  /** Loads that will be stored, by entry: who asks for the same meanwhile looks again when they are. */
  readonly #loading = new Map<string, Promise<unknown>>();
  /** When the last of them ended, by `performance.now()`. */
  readonly #endedAt = new LRUCache<string, number>({ max: MAX_ENDED });

  constructor(
    private readonly modules: ModuleRef,
    private readonly reader: CacheReader,
    private readonly store: CacheStore,
    private readonly metrics: CacheMetrics,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.answer(context, next));
  }

  private async answer(context: ExecutionContext, next: CallHandler): Promise<unknown> {
    const load = (): Promise<unknown> => lastValueFrom(next.handle());
    const asked = await this.reader.read(context);
    return asked
      ? this.find({ ...asked, load, reply: context.switchToHttp().getResponse<FastifyReply>() })
      : // Its validation will refuse it.
        load();
  }

  /** @param isLastLook it does not wait any more for a load of the same that is under way */
  private async find(exchange: Exchange, isLastLook = false): Promise<unknown> {
    const finding = await this.reader.find(exchange);
    if (finding?.outcome === 'hit') {
      return this.answerHit(exchange, finding);
    }
    const loading = this.#loading.get(exchange.id);
    if (finding && !isLastLook && !exchange.directives.isBypassed && (loading || this.hasMissedLoad(exchange))) {
      // What it loads may be older than this request: only another look can tell.
      await loading;
      return this.find(exchange, true);
    }
    this.count(exchange, finding);
    return this.load(exchange, loading ? null : finding);
  }

  /** Whether a load of the same ended while this request was on its way here, perhaps after it had looked. */
  private hasMissedLoad({ id, request }: Exchange): boolean {
    return (request.requestContext?.arrivedAt ?? Infinity) < (this.#endedAt.get(id) ?? 0);
  }

  private async load(exchange: Exchange, finding: Miss | null): Promise<unknown> {
    return finding && !exchange.directives.isNotStored
      ? this.loadAndStore(exchange, finding)
      : this.answerLoaded(exchange, toAnswer(await exchange.load(), exchange.options));
  }

  private async answerHit(exchange: Exchange, { etag, ageMs, body }: Hit): Promise<unknown> {
    const { options, question, reply } = exchange;
    this.metrics.count(options.category, routeOf(exchange), 'hit');
    if (options.recordHit) {
      const record = options.recordHit(question.query as never);
      await this.transactions.run(() => this.audit.record(record));
    }
    void reply.header('Age', String(Math.floor(ageMs / 1_000)));
    return this.answerLoaded(exchange, { etag, body });
  }

  private async loadAndStore(exchange: Exchange, finding: Miss): Promise<unknown> {
    const { id, userId, options } = exchange;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => {
      this.#loading.delete(id);
      this.#endedAt.set(id, performance.now());
      resolve(undefined);
    };
    this.#loading.set(id, promise);
    try {
      const conditions = await this.conditionsOf(exchange, finding);
      if (!conditions) {
        end();
      }
      const answer = toAnswer(await exchange.load(), options);
      if (conditions) {
        this.store.store({ id, personId: userId, ...conditions, ...answer }).then(end, end);
      }
      return this.answerLoaded(exchange, answer);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Reads the versions of all tags before the load. Null where the answer must not be stored. */
  private async conditionsOf(exchange: Exchange, { loadedAt, versions }: Miss): Promise<Conditions | null> {
    const { options, userId, question } = exchange;
    const known = [EVERY_ENTRY, ...options.tags(userId)];
    if (isUnderChange(versions)) {
      return null;
    }
    const scope = await this.scopeOf(options, userId);
    const further = [...new Set(scope.tags)].filter((tag) => !known.includes(tag));
    const opened = known.length + further.length <= MAX_TAGS_PER_ENTRY ? await this.versionsOf(further) : null;
    if (opened === null || isUnderChange(opened)) {
      return null;
    }
    const readingsMs = options.hasReadings?.(question.query as never) ? READINGS_MS : Infinity;
    const expiresAt = loadedAt + Math.min(exchange.lifeMs, readingsMs, scope.changesInMs ?? Infinity);
    return { tags: [...known, ...further], versions: [...versions, ...opened], loadedAt, expiresAt };
  }

  private async scopeOf({ scope }: CachedOptions<never>, userId: string): Promise<CacheScope> {
    return scope ? this.modules.get(scope, { strict: false }).readScope(userId) : NO_SCOPE;
  }

  private async versionsOf(tags: readonly string[]): Promise<readonly string[] | null> {
    return tags.length > 0 ? this.store.open(tags) : [];
  }

  /** Without a body where the client is known to have it. */
  private answerLoaded({ request, reply }: Exchange, { body, etag }: Answer<Buffer | null>): Buffer | undefined {
    void reply.header('ETag', etag);
    if (body === null || matches(request.headers['if-none-match'], etag)) {
      void reply.status(HttpStatus.NOT_MODIFIED);
      return undefined;
    }
    void reply.header('Content-Type', 'application/json; charset=utf-8');
    return body;
  }

  private count(exchange: Exchange, finding: Miss | null): void {
    const { options, directives, lifeMs } = exchange;
    const isBypassed = directives.isBypassed || lifeMs === 0;
    const outcome = isBypassed ? 'bypass' : (finding?.outcome ?? 'error');
    this.metrics.count(options.category, routeOf(exchange), outcome);
  }
}

function toAnswer(value: unknown, { isVersioned }: CachedOptions<never>): Answer {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return { body, etag: isVersioned ? tagOf((value as { version: number }).version, body) : weakTagOf(body) };
}

function isUnderChange(versions: readonly string[]): boolean {
  return versions.includes('');
}

function routeOf({ request }: Exchange): string {
  return request.routeOptions.url ?? '';
}
