import { type ExecutionContext, Injectable, type OnModuleInit } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppConfig } from '../../config/app-config.js';
import { LookupRegistry, type LookupQuestion, type LookupReply } from '../rate-limit/lookup-registry.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { type CacheDirectives, directivesOf } from './cache-directives.js';
import { CacheKeyFactory, type CacheQuestion } from './cache-key-factory.js';
import { LOOK_UP } from './cache-scripts.js';
import { type CacheFinding, CacheStore } from './cache-store.js';
import { CACHED, type CachedOptions } from './cached.types.js';

/** A request of a cached route. */
export interface CacheRequest {
  readonly options: CachedOptions<never>;
  readonly userId: string;
  readonly question: CacheQuestion;
  /** Of the entry. */
  readonly id: string;
  readonly lifeMs: number;
  readonly directives: CacheDirectives;
  readonly request: FastifyRequest;
}

/** Finds cached answers: in the question that counts the request against its limits, and again where that came too early. */
@Injectable()
export class CacheReader implements OnModuleInit {
  readonly #asked = new WeakMap<FastifyRequest, CacheRequest>();

  constructor(
    private readonly reflector: Reflector,
    private readonly registry: LookupRegistry,
    private readonly limiter: RateLimiter,
    private readonly keys: CacheKeyFactory,
    private readonly store: CacheStore,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.registry.register({ lua: LOOK_UP, questionOf: (context) => this.earlyQuestionOf(context) });
  }

  /** Null where the route is not cached, or refuses its query. */
  async read(context: ExecutionContext): Promise<CacheRequest | null> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const asked = this.#asked.get(request);
    if (asked) {
      return asked;
    }
    const options = this.optionsOf(context);
    const question = options ? await this.keys.questionOf(context, request) : null;
    return options && question ? this.requestOf(options, request, question) : null;
  }

  /** Null when Redis does not answer, or must not be believed. */
  async find(asked: CacheRequest): Promise<CacheFinding | null> {
    const { lookup } = asked.request;
    delete asked.request.lookup;
    const reply = lookup ?? (await this.ask(this.questionOf(asked)));
    return reply ? this.store.findingOf(reply) : null;
  }

  private async ask(question: LookupQuestion | null): Promise<LookupReply | null> {
    return (question && (await this.limiter.ask([], question)).lookup) ?? null;
  }

  private questionOf({ options, userId, id, lifeMs, directives, request }: CacheRequest): LookupQuestion | null {
    return lifeMs === 0
      ? null
      : this.store.questionOf(id, options.tags(userId), {
          maxAgeMs: directives.isBypassed ? -1 : directives.maxAgeMs,
          etag: request.headers['if-none-match'],
        });
  }

  /** For queries whose spelling was met before: the others are not read yet. */
  private earlyQuestionOf(context: ExecutionContext): LookupQuestion | null {
    const options = this.optionsOf(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const question = options && this.keys.known(request);
    const asked = options && question ? this.requestOf(options, request, question) : null;
    if (!asked) {
      return null;
    }
    this.#asked.set(request, asked);
    return this.questionOf(asked);
  }

  private optionsOf(context: ExecutionContext): CachedOptions<never> | undefined {
    return this.reflector.get<CachedOptions<never> | undefined>(CACHED, context.getHandler());
  }

  private requestOf(
    options: CachedOptions<never>,
    request: FastifyRequest,
    question: CacheQuestion,
  ): CacheRequest | null {
    const { principal, headers } = request;
    return principal
      ? {
          options,
          userId: principal.userId,
          question,
          id: this.store.idOf(principal.userId, question.text),
          lifeMs: this.config.cacheTtlMs[options.category],
          directives: directivesOf(headers['cache-control']),
          request,
        }
      : null;
  }
}
