import { type CallHandler, type ExecutionContext, HttpStatus, Injectable, type NestInterceptor } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { AppConfig } from '../../config/app-config.js';
import { AuditWriter } from '../audit/audit-writer.js';
import { matches, tagOf, weakTagOf } from '../http/conditional/version-tag.interceptor.js';
import { Transactions } from '../prisma/transactions.js';
import { type CacheDirectives, directivesOf } from './cache-directives.js';
import { CacheKeyFactory, type CacheQuestion } from './cache-key-factory.js';
import { CacheMetrics, type CacheOutcome } from './cache-metrics.js';
import { type CacheFinding, CacheStore, EVERYTHING, MAX_TAGS_PER_ENTRY } from './cache-store.js';
import { CACHED, type CachedOptions } from './cached.types.js';

/** How old readings may be that a cached answer shows. */
const READINGS_MS = 30_000;

/** A request of a cached route. */
interface Asked {
  readonly options: CachedOptions<never>;
  readonly userId: string;
  readonly question: CacheQuestion;
  readonly id: string;
  readonly directives: CacheDirectives;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly next: CallHandler;
}

interface Answer {
  readonly body: string;
  readonly etag: string;
}

type Miss = Exclude<CacheFinding, { outcome: 'hit' }>;

/** Answers cached routes: from Redis where it has what the database would say, else from the handler. */
@Injectable()
export class CacheInterceptor implements NestInterceptor {
  /** Loads that will be stored, by entry: who asks for the same meanwhile looks again when they are. */
  readonly #loading = new Map<string, Promise<unknown>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly modules: ModuleRef,
    private readonly store: CacheStore,
    private readonly keys: CacheKeyFactory,
    private readonly metrics: CacheMetrics,
    private readonly config: AppConfig,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const options = this.reflector.get<CachedOptions<never> | undefined>(CACHED, context.getHandler());
    return options ? from(this.answer(context, options, next)) : next.handle();
  }

  private async answer(context: ExecutionContext, options: CachedOptions<never>, next: CallHandler): Promise<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const userId = request.principal?.userId;
    const question = userId === undefined ? null : await this.keys.questionOf(context, request);
    if (userId === undefined || question === null) {
      // Refused by its validation.
      return lastValueFrom(next.handle());
    }
    const id = this.store.idOf(userId, question.text);
    const directives = directivesOf(request.headers['cache-control']);
    const reply = http.getResponse<FastifyReply>();
    return this.find({ options, userId, question, id, directives, request, reply, next }, true);
  }

  /** @param waits whether it waits for a load of the same that is under way */
  private async find(asked: Asked, waits: boolean): Promise<unknown> {
    const { options, userId, id, directives, request } = asked;
    const lifeMs = this.config.cacheTtlMs[options.category];
    const finding =
      lifeMs === 0
        ? null
        : await this.store.lookUp(id, options.tags(userId), {
            maxAgeMs: directives.isBypassed ? -1 : directives.maxAgeMs,
            etag: request.headers['if-none-match'],
          });
    if (finding?.outcome === 'hit') {
      this.count(asked, 'hit');
      return this.answerHit(asked, finding);
    }
    const loading = directives.isBypassed ? undefined : this.#loading.get(id);
    if (finding && loading && waits) {
      await loading;
      return this.find(asked, false);
    }
    this.count(asked, finding === null ? 'error' : directives.isBypassed ? 'bypass' : finding.outcome);
    return this.load(asked, finding, lifeMs);
  }

  private async answerHit(
    { options, question, request, reply }: Asked,
    { etag, ageMs, body }: Extract<CacheFinding, { outcome: 'hit' }>,
  ): Promise<unknown> {
    if (options.recordHit) {
      const record = options.recordHit(question.query as never);
      await this.transactions.run(() => this.audit.record(record));
    }
    void reply.header('Age', String(Math.floor(ageMs / 1_000)));
    if (body === null || matches(request.headers['if-none-match'], etag)) {
      return notModified(reply, etag);
    }
    return answered(reply, { body, etag });
  }

  private async load(asked: Asked, finding: Miss | null, lifeMs: number): Promise<unknown> {
    const { id, reply, request, directives } = asked;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const isAwaited = finding !== null && !directives.isNotStored && !this.#loading.has(id);
    if (isAwaited) {
      this.#loading.set(id, promise);
    }
    const end = (): void => {
      if (isAwaited) {
        this.#loading.delete(id);
        resolve(undefined);
      }
    };
    try {
      const under = finding === null || directives.isNotStored ? null : await this.conditions(asked, finding, lifeMs);
      if (!under) {
        end();
      }
      const value: unknown = await lastValueFrom(asked.next.handle());
      const answer = toAnswer(value, asked.options);
      if (under) {
        void this.store.store({ id, personId: asked.userId, ...under, ...answer }).finally(end);
      }
      return matches(request.headers['if-none-match'], answer.etag)
        ? notModified(reply, answer.etag)
        : answered(reply, answer);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Tags with their versions, read before the load, and how long the answer may live; null where it must not be stored. */
  private async conditions(
    { options, userId, question }: Asked,
    { loadedAt, versions }: Miss,
    lifeMs: number,
  ): Promise<{ tags: string[]; versions: string[]; loadedAt: number; expiresAt: number } | null> {
    const known = [EVERYTHING, ...options.tags(userId)];
    // While a change is under way, nothing is stored: see the marks.
    if (versions.includes('')) {
      return null;
    }
    const scope = options.scope
      ? await this.modules.get(options.scope, { strict: false }).readScope(userId)
      : { tags: [], changesInMs: null };
    const further = [...new Set(scope.tags)].filter((tag) => !known.includes(tag));
    if (known.length + further.length > MAX_TAGS_PER_ENTRY) {
      return null;
    }
    const opened = further.length > 0 ? await this.store.open(further) : [];
    if (opened === null || opened.includes('')) {
      return null;
    }
    const limits = [lifeMs, scope.changesInMs, options.hasReadings?.(question.query as never) ? READINGS_MS : null];
    const expiresAt = loadedAt + Math.min(...limits.filter((limit) => limit !== null));
    return { tags: [...known, ...further], versions: [...versions, ...opened], loadedAt, expiresAt };
  }

  private count({ options, request }: Asked, outcome: CacheOutcome): void {
    this.metrics.count(options.category, request.routeOptions.url ?? '', outcome);
  }
}

function toAnswer(value: unknown, { isVersioned }: CachedOptions<never>): Answer {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return { body, etag: isVersioned ? tagOf((value as { version: number }).version, body) : weakTagOf(body) };
}

function answered(reply: FastifyReply, { body, etag }: Answer): string {
  void reply.header('ETag', etag).header('Content-Type', 'application/json; charset=utf-8');
  return body;
}

function notModified(reply: FastifyReply, etag: string): undefined {
  void reply.header('ETag', etag).status(HttpStatus.NOT_MODIFIED);
}
